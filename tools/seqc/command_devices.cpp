#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "engine/devices.hpp"
#include "tools/seqc/commands.hpp"
#include "tools/seqc/console.hpp"
#include "tools/seqc/status.hpp"

namespace seqc {
namespace {

void print_json(const seq::DeviceReport& device) {
    nlohmann::ordered_json object{{"device", device.name}, {"available", device.available}};
    if (!device.available) object["reason"] = device.reason;
    for (const auto& [key, value] : device.facts) object[key] = value;
    print(object.dump() + "\n");
}

void print_text(const seq::DeviceReport& device) {
    if (!device.available) {
        print(fmt::format("{}: not available: {}\n", device.name, device.reason));
        return;
    }
    print(fmt::format("{}: available\n", device.name));
    for (const auto& [key, value] : device.facts) {
        std::string words = key;
        for (char& c : words) c = c == '_' ? ' ' : c;
        print(fmt::format("  {:<24}{}\n", words, value));
    }
}

}  // namespace

int run_devices(const Arguments& arguments) {
    for (const seq::DeviceReport& device : seq::describe_devices()) {
        if (arguments.json()) {
            print_json(device);
        } else {
            print_text(device);
        }
    }
    return ok;
}

}  // namespace seqc
