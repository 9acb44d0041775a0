#pragma once

#include "graph/ops/activation.hpp"
#include "graph/ops/adaptive_pool.hpp"
#include "graph/ops/arithmetic.hpp"
#include "graph/ops/batch_norm.hpp"
#include "graph/ops/bilinear.hpp"
#include "graph/ops/concat.hpp"
#include "graph/ops/conv_transpose.hpp"
#include "graph/ops/convolution.hpp"
#include "graph/ops/dropout.hpp"
#include "graph/ops/embedding.hpp"
#include "graph/ops/group_norm.hpp"
#include "graph/ops/instance_norm.hpp"
#include "graph/ops/layer_norm.hpp"
#include "graph/ops/linear.hpp"
#include "graph/ops/local_response_norm.hpp"
#include "graph/ops/matmul.hpp"
#include "graph/ops/pad.hpp"
#include "graph/ops/permute.hpp"
#include "graph/ops/pool.hpp"
#include "graph/ops/reduce.hpp"
#include "graph/ops/reshape.hpp"
#include "graph/ops/rms_norm.hpp"
#include "graph/ops/shuffle.hpp"
#include "graph/ops/slice.hpp"
#include "graph/ops/softmax.hpp"
#include "graph/ops/split.hpp"
#include "graph/ops/upsample.hpp"

namespace seq {

/// Adds the ops of op_list.def to the table, in that order; once, however often it is called.
void register_builtin_ops();

/// Whether it is one of them.
bool is_builtin(const OpType& type);

/// Whether a user's own op has the name of a built-in one, be that in the table already or not.
bool takes_builtin_name(const OpType& type);

}  // namespace seq
