#pragma once

#include <random>

#include "graph/ir.hpp"

/// A net over x [N, C, H, W], with branches, shared values, shortcuts and all that passes look for. Symbols N, and H
/// where `symbolic`.
seq::Graph random_net(std::mt19937& random, bool symbolic);
