#pragma once

// The one header that a user includes.

#include "graph/ir.hpp"
