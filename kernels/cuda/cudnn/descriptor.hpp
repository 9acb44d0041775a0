#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "kernels/cuda/cudnn/status.hpp"

namespace seq::cuda {

/// What cuDNN calls the type of an attribute that is a T.
template <class T>
inline constexpr cudnnBackendAttributeType_t attribute_type = CUDNN_TYPE_VOID_PTR;
template <>
inline constexpr auto attribute_type<cudnnHandle_t> = CUDNN_TYPE_HANDLE;
template <>
inline constexpr auto attribute_type<cudnnDataType_t> = CUDNN_TYPE_DATA_TYPE;
template <>
inline constexpr auto attribute_type<bool> = CUDNN_TYPE_BOOLEAN;
template <>
inline constexpr auto attribute_type<std::int64_t> = CUDNN_TYPE_INT64;
template <>
inline constexpr auto attribute_type<std::int32_t> = CUDNN_TYPE_INT32;
template <>
inline constexpr auto attribute_type<float> = CUDNN_TYPE_FLOAT;
template <>
inline constexpr auto attribute_type<double> = CUDNN_TYPE_DOUBLE;
template <>
inline constexpr auto attribute_type<char> = CUDNN_TYPE_CHAR;
template <>
inline constexpr auto attribute_type<cudnnConvolutionMode_t> = CUDNN_TYPE_CONVOLUTION_MODE;
template <>
inline constexpr auto attribute_type<cudnnBackendHeurMode_t> = CUDNN_TYPE_HEUR_MODE;
template <>
inline constexpr auto attribute_type<cudnnNanPropagation_t> = CUDNN_TYPE_NAN_PROPOGATION;
template <>
inline constexpr auto attribute_type<cudnnPointwiseMode_t> = CUDNN_TYPE_POINTWISE_MODE;
template <>
inline constexpr auto attribute_type<cudnnResampleMode_t> = CUDNN_TYPE_RESAMPLE_MODE;
template <>
inline constexpr auto attribute_type<cudnnPaddingMode_t> = CUDNN_TYPE_PADDING_MODE;
template <>
inline constexpr auto attribute_type<cudnnBackendNormMode_t> = CUDNN_TYPE_NORM_MODE;
template <>
inline constexpr auto attribute_type<cudnnBackendNormFwdPhase_t> = CUDNN_TYPE_NORM_FWD_PHASE;
template <>
inline constexpr auto attribute_type<cudnnBackendNumericalNote_t> = CUDNN_TYPE_NUMERICAL_NOTE;
template <>
inline constexpr auto attribute_type<cudnnBackendBehaviorNote_t> = CUDNN_TYPE_BEHAVIOR_NOTE;
template <>
inline constexpr auto attribute_type<cudnnBackendKnobType_t> = CUDNN_TYPE_KNOB_TYPE;

/// Owns a descriptor of cuDNN's backend. Every fault throws CudnnError; after one in the constructor there is nothing
/// to destroy. `cudnn` has to outlive it.
class Descriptor {
   public:
    Descriptor(const Cudnn& cudnn, cudnnBackendDescriptorType_t type);
    ~Descriptor();
    Descriptor(Descriptor&& other) noexcept;
    Descriptor& operator=(Descriptor&& other) noexcept;

    template <class T>
    void set(cudnnBackendAttributeName_t name, std::span<const T> values) {
        static_assert(attribute_type<T> != CUDNN_TYPE_VOID_PTR || std::is_same_v<T, void*>);
        set_raw(name, attribute_type<T>, values.size(), values.data());
    }
    template <class T>
    void set(cudnnBackendAttributeName_t name, const std::vector<T>& values) {
        set(name, std::span<const T>(values));
    }
    template <class T>
    void set(cudnnBackendAttributeName_t name, const T& value) {
        set(name, std::span<const T>(&value, 1));
    }
    void set(cudnnBackendAttributeName_t name, const Descriptor& value);
    void set_all(cudnnBackendAttributeName_t name, std::span<const Descriptor* const> values);
    void set_text(cudnnBackendAttributeName_t name, std::string_view text);

    void finalize();

    template <class T>
    T get(cudnnBackendAttributeName_t name) const {
        T value{};
        get_raw(name, attribute_type<T>, 1, &value);
        return value;
    }
    /// As many as there are.
    template <class T>
    std::vector<T> get_all(cudnnBackendAttributeName_t name) const {
        static_assert(attribute_type<T> != CUDNN_TYPE_VOID_PTR || std::is_same_v<T, void*>);
        const std::int64_t wanted = count(name, attribute_type<T>);
        // Not a vector<bool>, which has no elements to point at.
        static_assert(!std::is_same_v<T, bool>);
        std::vector<T> values(static_cast<std::size_t>(wanted));
        if (wanted == 0) return values;
        const std::int64_t got = get_raw(name, attribute_type<T>, wanted, values.data());
        values.resize(static_cast<std::size_t>(std::min(got, wanted)));
        return values;
    }
    std::string get_text(cudnnBackendAttributeName_t name) const;
    /// Descriptors of `type` that cuDNN fills, all that there are.
    std::vector<Descriptor> get_descriptors(cudnnBackendAttributeName_t name, cudnnBackendDescriptorType_t type) const;
    /// The same for attributes of which cuDNN does not tell how many there are.
    std::vector<Descriptor> get_descriptors(cudnnBackendAttributeName_t name, cudnnBackendDescriptorType_t type,
                                            std::int64_t at_most) const;

    cudnnBackendDescriptor_t raw() const { return raw_; }

   private:
    void set_raw(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, std::size_t count,
                 const void* values);
    /// How many were written.
    std::int64_t get_raw(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, std::int64_t wanted,
                         void* values) const;
    std::int64_t count(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type) const;

    const Cudnn* cudnn_;
    cudnnBackendDescriptorType_t type_;
    cudnnBackendDescriptor_t raw_ = nullptr;
};

}  // namespace seq::cuda
