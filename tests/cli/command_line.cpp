#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>

#include "tests/cli/process.hpp"

namespace seq::tests {
namespace {

TEST_CASE("numbers out of their range are a wrong command line") {
    const std::string net = " goldens/cifar_cnn.json ";
    for (const char* seed : {"18446744073709551616", "-1", "1.5", "x", "''"}) {
        CAPTURE(seed);
        const ProcessResult result = seqc("summary" + net + "--random-weights " + seed);
        CHECK(result.status == 2);
        CHECK(result.errors.find("2^64 - 1") != std::string::npos);
    }
    CHECK(seqc("summary" + net + "--random-weights 18446744073709551615").status == 0);
    for (const char* tolerance : {"nan", "inf", "-1", "0", "x"}) {
        CAPTURE(tolerance);
        CHECK(seqc("verify" + net + "--tolerance " + tolerance).status == 2);
    }
    CHECK(seqc("bench" + net + "--duration nan").status == 2);
    for (const char* option : {"--scale nan", "--scale 1e999", "--mean 0,inf,0", "--std nan"}) {
        CAPTURE(option);
        CHECK(seqc("run digits/digits_cnn.json --input digits/digit_0.png " + std::string(option)).status == 2);
    }
}

TEST_CASE("--shape takes up to eight positive sizes or symbols, and a name") {
    const std::string check = "check goldens/cifar_cnn.json --shape ";
    for (const char* shape : {"x=0,3,32,32", "x=00,3,32,32", "x=2,3,32,32,1,1,1,1,1", "2,3,32,32", "=2,3,32,32"}) {
        CAPTURE(shape);
        const ProcessResult result = seqc(check + shape);
        CHECK(result.status == 2);
        CHECK(result.errors.find("--shape") != std::string::npos);
    }
    CHECK(seqc(check + "x=2,3,32,32").status == 0);
}

TEST_CASE("--timing-cache leaves files alone that are no timing caches, however short") {
    const std::string net = "explain goldens/cifar_cnn.json --tune fast --timing-cache ";
    const std::string path = scratch_path("cache.json");
    for (const char* text : {"my notes", "{}", "[1, 2]", "x", "\n", "{\"seq\": 1, \"inputs\": {\"x\": [1]}}"}) {
        CAPTURE(text);
        write_file(path, text);
        const ProcessResult result = seqc(net + path);
        CHECK(result.status == 2);
        CHECK(result.errors.find("no timing cache") != std::string::npos);
        CHECK(read_file(path) == text);
    }
    for (const char* text : {"", "{\"seq_timings\": 1, \"machines\": {\"cut off"}) {
        CAPTURE(text);
        write_file(path, text);
        CHECK(seqc(net + path).status == 0);
        CHECK(read_file(path).find("Conv2d") != std::string::npos);
    }
}

TEST_CASE("a timing cache that cannot be written is told of, and measuring goes on") {
    const std::string file = scratch_path("no_folder");
    write_file(file, "text");
    const ProcessResult result =
        seqc("explain goldens/cifar_cnn.json conv1 --tune fast --timing-cache " + file + "/times.json");
    CHECK(result.status == 0);
    CHECK(result.errors.find("not kept: " + file + "/times.json: Not a directory") != std::string::npos);
    CHECK(read_file(file) == "text");
}

TEST_CASE("where there is no place for times, that is said, where some are measured alone") {
    const char* const names[] = {"HOME", "XDG_CACHE_HOME"};
    std::map<std::string, std::string> before;
    for (const char* name : names) {
        if (const char* value = std::getenv(name)) before[name] = value;
        unsetenv(name);
    }
    const std::string net = "explain goldens/cifar_cnn.json conv1 ";
    CHECK(seqc(net + "--tune fast").errors.find("neither HOME nor XDG_CACHE_HOME is set") != std::string::npos);
    for (const std::string& options : {std::string("--tune none"), "--timing-cache " + scratch_path("placed.json")})
        CHECK(seqc(net + options).errors.find("XDG_CACHE_HOME") == std::string::npos);
    for (const auto& [name, value] : before) setenv(name.c_str(), value.c_str(), 1);
}

TEST_CASE("what is wrong with an option is said in words about it") {
    const auto says = [](const std::string& arguments, const char* words) {
        CAPTURE(arguments);
        const ProcessResult result = seqc(arguments);
        CHECK(result.status == 2);
        CHECK_MESSAGE(result.errors.find(words) != std::string::npos, result.errors);
    };
    const std::string net = " goldens/cifar_cnn.json ";
    says("check", "SPEC is required: the model file");
    says("compile" + net, "-o is required: the file to write");
    says("check ''", "SPEC: takes the name of a file");
    says("check" + net + "--set", "--set takes SYMBOL=INT, but nothing follows it");
    says("dump" + net + "--stage", "--stage takes graph|fused|plan, but nothing follows it");
    says("check" + net + "--device cpu --device cpu", "--device is given more than once");
    says("fix" + net + "--in-place=maybe", "--in-place takes no value, but gets 'maybe'");
    says("summary" + net + "--dtype f64", "takes f32, tf32, bf16 or f16, but gets 'f64'");
    says("dump" + net + "--stage foo", "takes graph, fused or plan, but gets 'foo'");
    says("summary" + net + "--passes all,none", "takes 'all' alone, but gets 'all,none'");
    says("bench" + net + "--duration 0", "takes a number from 0.01 to 3600, but gets '0'");
    says("bench" + net + "--sessions 1.5", "takes an integer from 1 to 256, but gets '1.5'");
    says("run" + net + "--input x=", "--input takes [NAME=]FILE, but gets 'x='");
    says("dump" + net + "-o ''", "-o: takes the name of a file");
    says("fix" + net + "-o ''", "-o: takes the name of a file");
    says("check" + net + "--set Q=3", "no input of the model has a dimension `Q`; there is `N`");
    says("check" + net + "--shape y=1", "the model has no input `y`; it has `x`");
    CHECK(seqc("run --help").output.find("--dtype f32|tf32|bf16|f16=f32") != std::string::npos);
}

TEST_CASE("the help of each command shows how it is called") {
    for (const char* command :
         {"check", "fix", "summary", "run", "compile", "bench", "dump", "explain", "verify", "devices", "schema"}) {
        CAPTURE(command);
        const ProcessResult help = seqc(std::string(command) + " --help");
        CHECK(help.status == 0);
        CHECK(help.output.find(std::string("\n  seqc ") + command) != std::string::npos);
        CHECK(help.output.find("Exit status: 0") != std::string::npos);
    }
}

TEST_CASE("what a command reads is not written over") {
    const std::string folder = scratch_path("read");
    std::filesystem::create_directories(folder);
    for (const char* end : {"json", "safetensors"}) {
        const std::string name = std::string("/cifar_cnn.") + end;
        write_file(folder + name, read_file(SEQ_TEST_DATA + ("/goldens" + name)));
    }
    const std::string net = folder + "/cifar_cnn.json";
    const std::string weights = folder + "/cifar_cnn.safetensors";
    const std::string run = "run " + net + " --input goldens/cifar_cnn.in.x.npy --output ";
    for (const std::string& command :
         {run + net, run + weights, run + "fc2=" + folder + "/./cifar_cnn.json", "dump " + net + " -o " + net,
          "dump " + net + " --weights " + weights + " -o " + weights}) {
        CAPTURE(command);
        const ProcessResult result = seqc(command);
        CHECK(result.status == 2);
        CHECK(result.errors.find("name another file") != std::string::npos);
    }
    CHECK(seqc(run + folder + "/y.npy").status == 0);
    CHECK(seqc(run + folder + "/y.npy").status == 0);
}

TEST_CASE("modules without layers do not grow without bound") {
    std::string modules = R"("m0": {"layers": []})";
    for (int i = 1; i < 30; ++i) {
        const std::string use = R"({"use": "m)" + std::to_string(i - 1) + R"("})";
        modules += ", \"m" + std::to_string(i) + "\": {\"layers\": [" + use;
        for (int j = 1; j < 10; ++j) modules += ", " + use;
        modules += "]}";
    }
    const ProcessResult result =
        seqc("check -",
             R"({"seq": 1, "inputs": {"x": [1]}, "layers": [{"use": "m29"}, "ReLU"], "modules": {)" + modules + "}}");
    CHECK(result.status == 1);
    CHECK(result.output.find("spec/limit") != std::string::npos);
}

TEST_CASE("what cannot be written to standard error changes no exit status") {
    for (const char* sink : {" 2>&-", " 2>/dev/full"}) {
        CAPTURE(sink);
        const auto status = [&](const std::string& arguments) { return seqc(arguments + sink).status; };
        CHECK(status("summary broken/m0002.json") == 1);
        CHECK(status("summary goldens/cifar_cnn.json") == 0);
        CHECK(status("check nowhere.json") == 1);
        CHECK(status("fix broken/m0002.json") == 0);
        CHECK(status("bogus") == 2);
        CHECK(status("check --bogus") == 2);
    }
}

TEST_CASE("closed standard streams are errors where they are used") {
    CHECK(seqc("--version >&-").status == 1);
    CHECK(seqc("--help >/dev/full").status == 1);
    CHECK(seqc("summary goldens/cifar_cnn.json >&-").status == 1);
    CHECK(seqc("check - <&-").status == 1);
    const std::string output = scratch_path("alone.npy");
    const std::string run = "run goldens/cifar_cnn.json --input goldens/cifar_cnn.in.x.npy --output ";
    CHECK(seqc(run + output).status == 0);
    const std::string alone = read_file(output);
    CHECK(seqc(run + output + " 0<&- 1>&- 2>&-").status == 0);
    CHECK(read_file(output) == alone);
}

TEST_CASE("an option takes one text each time and leaves the model alone") {
    CHECK(seqc("explain --set N=4 goldens/cifar_cnn.json conv1").status == 0);
    CHECK(seqc("check --set N=1 M=2 goldens/cifar_cnn.json").status == 2);
    CHECK(seqc("run --scale 1 --mean 0,0,0 --std 1 digits/digits_cnn.json --input digits/digit_0.png").status == 2);
    CHECK(seqc("run --scale 1 --mean 0 --std 1 digits/digits_cnn.json --input digits/digit_0.png").status == 0);
    CHECK(seqc("run digits/digits_cnn.json --input digits/digit_0.png --scale 1,2").status == 2);
}

TEST_CASE("common options serve every command, before it and after it") {
    const std::string options =
        " --device cpu --dtype f32 --numerics strict --passes none --threads 1 --format json --color never -q ";
    const std::string net = " goldens/cifar_cnn.json ";
    for (const char* command : {"check", "fix", "summary", "explain", "dump", "verify"}) {
        CAPTURE(command);
        CHECK(seqc(command + net + options + "--set N=1").status == 0);
        CHECK(seqc(options + "--set N=1 " + command + net).status == 0);
    }
    for (const char* command : {"devices", "schema"}) {
        CAPTURE(command);
        CHECK(seqc(command + options).status == 0);
        CHECK(seqc(options + command).status == 0);
    }
    CHECK(seqc("--format json check broken/m0002.json").output.starts_with("{"));
    CHECK(seqc("check --version").output == seqc("--version").output);
    CHECK(seqc("--set N=1 check --set N=2" + net).errors.find("twice") != std::string::npos);
    CHECK(seqc("summary --weights a.npz --random-weights 1" + net).status == 2);
    CHECK(seqc("summary --weights ''" + net).status == 2);
}

TEST_CASE("what is misspelled gets a guess") {
    const auto errors = [](const std::string& arguments) {
        const ProcessResult result = seqc(arguments);
        CHECK(result.status == 2);
        return result.errors;
    };
    const auto has = [](const std::string& text, const char* word) { return text.find(word) != std::string::npos; };
    CHECK(has(errors("check m.json --formt json"), "'--formt' (did you mean `--format`?)"));
    CHECK(has(errors("--formt json check m.json"), "'--formt' (did you mean `--format`?)"));
    CHECK(has(errors("check --formt=json"), "did you mean `--format`"));
    CHECK(has(errors("-x"), "has no option '-x'"));
    CHECK(has(errors(""), "a command is required"));
    CHECK(has(errors("chekc m.json --bogus"), "did you mean `check`"));
    CHECK(has(errors("transpile --help"), "no command 'transpile'"));
    CHECK(has(errors("summary m.json --passes all,constant-foldng"), "did you mean `constant_folding`"));
    CHECK(has(errors("summary m.json --threads abc"), "takes an integer from 0 to 1024, but gets 'abc'"));
    CHECK(has(errors("check a.json b.json"), "'b.json' is one argument too many"));
}

}  // namespace
}  // namespace seq::tests
