#pragma once

#include "graph/ops/activation.hpp"
#include "graph/ops/adaptive_pool.hpp"
#include "graph/ops/batch_norm.hpp"
#include "graph/ops/bilinear.hpp"
#include "graph/ops/conv_transpose.hpp"
#include "graph/ops/convolution.hpp"
#include "graph/ops/dropout.hpp"
#include "graph/ops/group_norm.hpp"
#include "graph/ops/instance_norm.hpp"
#include "graph/ops/layer_norm.hpp"
#include "graph/ops/linear.hpp"
#include "graph/ops/local_response_norm.hpp"
#include "graph/ops/pool.hpp"
#include "graph/ops/rms_norm.hpp"
#include "graph/ops/softmax.hpp"

namespace seq {

/// Adds the ops of op_list.def to the table, in that order; once, however often it is called.
void register_builtin_ops();

}  // namespace seq
