#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "graph/diagnostic.hpp"
#include "kernels/cuda/libraries.hpp"
#include "kernels/cuda/runtime/runtime_api.hpp"

namespace seq::cuda {

/// What follows from a status of cuDNN, by the thousand that it lies in.
enum class StatusClass {
    success,
    environment,  ///< 1xxx: libraries, versions, no driver
    misuse,       ///< 2xxx: what was asked is wrong, a mistake of ours
    unsupported,  ///< 3xxx: there is no such implementation; another form may have one
    internal,     ///< 4xxx and what later versions add: cuDNN failed
    execution,    ///< 5xxx: the GPU failed
};

StatusClass class_of(cudnnStatus_t status);
std::string_view name_of(StatusClass status_class);

/// A status other than success. The message says what was being done, the status by name and number, and what
/// cudnnGetLastErrorString knew of it.
class CudnnError : public std::runtime_error {
   public:
    CudnnError(const Cudnn& cudnn, cudnnStatus_t status, std::string_view doing);

    cudnnStatus_t status() const { return status_; }
    StatusClass status_class() const { return class_of(status_); }
    /// Whether only this form or engine cannot be had, so that the next one may be tried.
    bool is_refusal() const;
    /// Whether memory was short, the GPU's or the host's: no refusal, and no failure of the GPU's, which goes on.
    bool is_short_of_memory() const;
    /// What `take_last_error` gave.
    const std::string& detail() const { return detail_; }

   private:
    CudnnError(const Cudnn& cudnn, cudnnStatus_t status, std::string_view doing, std::string detail);

    cudnnStatus_t status_;
    std::string detail_;
};

/// What cudnnGetLastErrorString has, in one line: of each chain of causes the first, once; empty where it has nothing.
/// cuDNN forgets it by that.
std::string take_last_error(const Cudnn& cudnn);

/// What `error` is to a session: device/memory, with what is free on the current device, or else device/failed. `what`:
/// what failed at it, "making a handle of cuDNN". `api`: nullptr where there is no device to ask.
Error error_of(const CudnnError& error, std::string_view what, const RuntimeApi* api);

/// The same of what is no refusal while plans are made, before anything runs: an environment in which cuDNN cannot work
/// is device/unavailable, with what it lacks.
Error error_of_planning(const CudnnError& error, const RuntimeApi* api);

/// Throws CudnnError unless `status` is success.
void check(const Cudnn& cudnn, cudnnStatus_t status, std::string_view doing);

}  // namespace seq::cuda
