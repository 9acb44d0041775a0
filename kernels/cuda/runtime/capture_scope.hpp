#pragma once

namespace seq::cuda {

// CUDA ends captures that are under way when another thread waits for the whole device, which destroying a handle of
// cuDNN's does, and may be what freeing memory does. Within the process such calls and captures therefore come one
// after the other. Nothing that every run does is either. A thread that is in one of these scopes enters another for
// nothing, so that it never waits for itself.

/// A stream is captured. Several threads may.
class CaptureScope {
   public:
    /// Throws Error device/capture where another thread is in a DeviceWideScope for longer than a tenth of a second.
    CaptureScope();
    ~CaptureScope();
    CaptureScope(const CaptureScope&) = delete;
    CaptureScope& operator=(const CaptureScope&) = delete;

   private:
    bool holds_;
};

/// Calls that may wait for the whole device. They take no lock of seq's.
class DeviceWideScope {
   public:
    DeviceWideScope();
    ~DeviceWideScope();
    DeviceWideScope(const DeviceWideScope&) = delete;
    DeviceWideScope& operator=(const DeviceWideScope&) = delete;

   private:
    bool holds_;
};

}  // namespace seq::cuda
