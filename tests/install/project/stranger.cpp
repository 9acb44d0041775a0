#include <seq/seq.hpp>

int main() {
    return seq::Graph{}.nodes().empty() ? 0 : 1;
}
