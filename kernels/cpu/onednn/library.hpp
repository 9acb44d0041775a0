#pragma once

#include <oneapi/dnnl/dnnl.hpp>
#include <string>

#include "kernels/kernel.hpp"

// oneDNN as this folder uses it: API 3.2, one CPU engine for the process. Includes of this header stay in this folder.
namespace seq::onednn {

/// The engine; the first call caps oneDNN's instruction set as SEQ_MAX_ISA says.
const dnnl::engine& engine();

/// For work that is done while kernels are prepared, by one thread at a time.
dnnl::stream make_stream();

/// Runs `make`, which creates oneDNN objects. False, with the reason, where oneDNN refuses.
template <class Make>
bool attempt(std::string& refusal, Make&& make) {
    try {
        make();
        return true;
    } catch (const dnnl::error& error) {
        refusal = std::string("oneDNN: ") + error.what();
        return false;
    }
}

}  // namespace seq::onednn
