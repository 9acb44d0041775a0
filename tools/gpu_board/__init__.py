"""What tools/gpu_check does: finds a GPU, builds for it, tests and times on it. One concern a file."""
