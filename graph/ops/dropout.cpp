#include "graph/ops/dropout.hpp"

namespace seq::ops {
namespace {

template <class T>
void declare_dropout(FieldTable<T>& table) {
    table.add("p", &T::p).at_least(0).at_most(1).doc("the share that is zeroed in training");
    table.add("inplace", &T::inplace).doc("without effect: the memory plan decides");
}

}  // namespace

void Dropout::declare(FieldTable<Dropout>& table) { declare_dropout(table); }
void AlphaDropout::declare(FieldTable<AlphaDropout>& table) { declare_dropout(table); }
void FeatureAlphaDropout::declare(FieldTable<FeatureAlphaDropout>& table) { declare_dropout(table); }

template <int N>
void DropoutNd<N>::declare(FieldTable<DropoutNd>& table) {
    declare_dropout(table);
}

template struct DropoutNd<1>;
template struct DropoutNd<2>;
template struct DropoutNd<3>;

}  // namespace seq::ops
