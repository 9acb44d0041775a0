#pragma once

// The one header that a user includes.

#include "engine/compile.hpp"
#include "engine/devices.hpp"
#include "engine/plan_file/plan_file.hpp"
#include "engine/session.hpp"
#include "frontend/check.hpp"
#include "frontend/nn/graph_builder.hpp"
#include "frontend/nn/sequential.hpp"
#include "frontend/weights/npy.hpp"
#include "frontend/weights/weights.hpp"
#include "graph/diagnostic.hpp"
#include "graph/dlpack.hpp"
#include "graph/ir.hpp"
#include "graph/tensor.hpp"
#include "kernels/reference/reference.hpp"
