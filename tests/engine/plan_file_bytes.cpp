#include "tests/engine/plan_file_bytes.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <span>
#include <sstream>

#include "engine/plan_file/checksum.hpp"
#include "engine/plan_file/container.hpp"

namespace seq::tests {
namespace {

using plan_file::Header;

constexpr std::uint64_t format = 2;

std::size_t range_at(std::size_t section) { return offsetof(Header, ranges) + section * sizeof(Header::Range); }

}  // namespace

ScratchPlan::ScratchPlan(const std::string& name)
    : path((std::filesystem::temp_directory_path() / ("seq_plan_" + std::to_string(getpid()) + "_" + name)).string()) {
    std::filesystem::remove(path);
}

ScratchPlan::~ScratchPlan() { std::filesystem::remove(path); }

std::string ScratchPlan::read() const {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
}

void ScratchPlan::write(const std::string& bytes) const { std::ofstream(path, std::ios::binary) << bytes; }

std::uint64_t PlanBytes::number(std::size_t position) const {
    std::uint64_t value = 0;
    std::memcpy(&value, bytes_.data() + position, sizeof value);
    return value;
}

void PlanBytes::replace(const std::string& from, const std::string& to) {
    REQUIRE(from.size() == to.size());
    const std::size_t found = bytes_.find(from);
    REQUIRE(found != std::string::npos);
    bytes_.replace(found, to.size(), to);
}

void PlanBytes::vary(std::size_t position, unsigned random) {
    static const std::string marks = "0123456789-+.,:{}[]()\"\\ @%~|=NxReLU\n";
    const auto old = bytes_[position];
    bytes_[position] =
        random % 4 == 0 ? static_cast<char>(old ^ (1 << (random / 4 % 8))) : marks[random / 4 % marks.size()];
}

std::string PlanBytes::meta() const { return bytes_.substr(number(range_at(0)), number(range_at(0) + 8)); }

void PlanBytes::set_meta(std::string text) {
    const std::size_t room = number(range_at(0) + 8);
    REQUIRE(text.size() <= room);
    text.resize(room, ' ');
    bytes_.replace(number(range_at(0)), room, text);
}

std::size_t PlanBytes::data_begin() const { return number(range_at(2)); }

std::string PlanBytes::sealed() const {
    std::string sealed = bytes_;
    const auto bytes = std::as_bytes(std::span(sealed));
    const std::uint64_t checksum = plan_file::checksum(bytes.subspan(16), format);
    std::memcpy(sealed.data() + offsetof(Header, checksum), &checksum, sizeof checksum);
    return sealed;
}

}  // namespace seq::tests
