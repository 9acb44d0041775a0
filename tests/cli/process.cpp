#include "tests/cli/process.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace seq::tests {
namespace {

namespace fs = std::filesystem;

struct Scratch {
    fs::path folder = fs::temp_directory_path() / ("seq-cli-" + std::to_string(getpid()));
    Scratch() { fs::create_directories(folder); }
    ~Scratch() { fs::remove_all(folder); }
};

}  // namespace

std::string scratch_path(const std::string& name) {
    static const Scratch scratch;
    return scratch.folder / name;
}

void write_file(const std::string& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

std::string read_file(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
}

ProcessResult seqc(const std::string& arguments, const std::string& standard_input) {
    return run_shell("'" SEQC_PATH "' " + arguments, standard_input);
}

ProcessResult run_shell(const std::string& command, const std::string& standard_input) {
    const std::string input = scratch_path("stdin");
    const std::string output = scratch_path("stdout");
    const std::string errors = scratch_path("stderr");
    write_file(input, standard_input);
    const std::string there = std::string("cd '") + SEQ_TEST_DATA + "' && " + command;
    const std::string redirected = "(" + there + ") <'" + input + "' >'" + output + "' 2>'" + errors + "'";
    const int raw = std::system(redirected.c_str());
    ProcessResult result;
    result.status = WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
    result.output = read_file(output);
    result.errors = read_file(errors);
    return result;
}

void refuses(const std::string& arguments, const std::string& words) {
    CAPTURE(arguments);
    const ProcessResult result = seqc(arguments);
    CHECK(result.status == 2);
    CHECK(result.output.empty());
    CHECK_MESSAGE(has(result.errors, words), result.errors);
}

}  // namespace seq::tests
