#include "tools/seqc/examples.hpp"

#include <utility>

namespace seqc {
namespace {

constexpr std::pair<std::string_view, std::string_view> examples[] = {
    {"check",
     "  seqc check net.json                                    prints nothing where all is well\n"
     "  seqc check net.json --shape x=N,3,64,64 --set N=8      as if it took other sizes\n"
     "  seqc check - --format json < net.json                  one object a line, for programs\n"
     "\n"},
    {"fix",
     "  seqc fix net.json                                      the mended model on standard output\n"
     "  seqc fix net.json --in-place                           over the file\n"
     "\n"},
    {"summary",
     "  seqc summary net.json --set N=32                       sizes for batches of 32\n"
     "  seqc summary net.seqx                                  what is in a compiled plan\n"
     "\n"},
    {"run",
     "  seqc run net.json --input x.npy --output y.npy\n"
     "  seqc run net.json --input a=a.npy --input b=b.npy --output all.npz\n"
     "  seqc run net.json --input x.npy --output features.3=middle.npy     a value from within\n"
     "  seqc run net.json --input cat.jpg --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225 --top 5\n"
     "\n"
     "Without --output and --top it prints the least, the largest and the mean value of each output.\n"
     "\n"},
    {"compile",
     "  seqc compile net.json -o net.seqx --set N=1,8    a plan for batches of 1, and one for batches of 8\n"
     "  seqc summary net.seqx                            what is in the file, and whether it serves here\n"
     "  seqc run net.seqx --input x.npy --output y.npy\n"
     "\n"
     "Kernels are measured and chosen, weights packed, and test vectors stored with their answers, which 'seqc verify'\n"
     "computes again. A plan is for this machine; elsewhere the model beside the file is compiled instead, or with "
     "--portable\n"
     "plans are made from the weights inside.\n"
     "\n"},
    {"bench",
     "  seqc bench net.json --set N=32 --threads 2\n"
     "  seqc bench net.seqx --duration 10 --format json        one object, for programs\n"
     "\n"},
    {"dump",
     "  seqc dump net.json --stage fused                       after the passes\n"
     "  seqc dump net.json --stage plan --set N=8              the steps that run, with their kernels and memory\n"
     "\n"},
    {"explain",
     "  seqc explain net.json features.3                       one layer\n"
     "  seqc explain net.json features                         all layers inside of a container\n"
     "  seqc explain net.json --tune none                      all layers, without measuring\n"
     "\n"},
    {"verify",
     "  seqc verify net.json --weights net.safetensors\n"
     "  seqc verify net.seqx                                   the test vectors in the plan\n"
     "\n"
     "It prints a line for each pass and for the plan, and exits with 1 where one drifts.\n"
     "\n"},
    {"devices",
     "  seqc devices --format json\n"
     "\n"},
    {"schema",
     "  seqc schema > seq-1.schema.json                        \"$schema\": \"seq-1.schema.json\" in a model names it\n"
     "\n"},
};

}  // namespace

std::string_view examples_of(std::string_view command) {
    for (const auto& [name, text] : examples) {
        if (name == command) return text;
    }
    return {};
}

}  // namespace seqc
