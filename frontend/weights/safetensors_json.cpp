#include "frontend/weights/safetensors_json.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <unordered_set>

#include "frontend/io/quoted_name.hpp"
#include "frontend/weights/weight_errors.hpp"

namespace seq {
namespace {

constexpr int max_depth = 16;
/// One more than any tensor may have, so that too many dimensions are still seen as such.
constexpr std::size_t max_numbers = 64;
constexpr std::string_view metadata_key = "__metadata__";

/// Depth 1 is the header, 2 a tensor or the metadata, 3 a list of a tensor; deeper is skipped.
class Handler final : public nlohmann::json_sax<nlohmann::json> {
   public:
    explicit Handler(SafetensorsRecords& out) : out_(out) {}

    bool null() override { return value("null"); }
    bool boolean(bool) override { return value("a boolean"); }
    bool number_integer(number_integer_t number) override { return value(fmt::to_string(number)); }
    bool number_float(number_float_t, const string_t& text) override { return value(quoted_name(text)); }
    bool binary(binary_t&) override { return value("binary data"); }

    bool number_unsigned(number_unsigned_t number) override {
        if (depth_ != 3 || list_ == nullptr) return value(fmt::to_string(number));
        if (list_->size() < max_numbers) list_->push_back(number);
        return true;
    }

    bool string(string_t& text) override {
        if (depth_ == 2 && in_tensor() && key_ == "dtype") {
            record().dtype = text;
            return true;
        }
        return (depth_ == 2 && in_metadata_) || value("a string");
    }

    bool start_object(std::size_t) override {
        if (depth_ == 0) return enter();
        if (depth_ > 1) return value("an object") && enter();
        if (!in_metadata_) {
            out_.records.push_back({name_});
            seen_keys_ = 0;
        }
        in_object_ = true;
        return enter();
    }

    bool end_object() override {
        if (--depth_ == 1) in_object_ = false;
        return true;
    }

    bool start_array(std::size_t) override {
        if (depth_ == 2 && in_tensor() && (key_ == "shape" || key_ == "data_offsets")) {
            list_ = &(key_ == "shape" ? record().shape : record().offsets).emplace();
            return enter();
        }
        return value("a list") && enter();
    }

    bool end_array() override {
        if (--depth_ == 2) list_ = nullptr;
        return true;
    }

    bool key(string_t& text) override {
        if (depth_ == 1) return top_key(text);
        if (depth_ != 2) return true;
        key_ = text;
        return in_metadata_ ? metadata_name(text) : tensor_key(text);
    }

    bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception&) override {
        return stop(fmt::format("the header is not valid JSON at its byte {}", position));
    }

   private:
    SafetensorsRecord& record() { return out_.records.back(); }
    bool in_tensor() const { return in_object_ && !in_metadata_; }

    bool stop(std::string problem) {
        out_.problems.push_back(std::move(problem));
        return false;
    }

    bool enter() { return ++depth_ <= max_depth || stop("the header is nested too deeply"); }

    /// False once there are too many.
    bool report(std::string problem) {
        out_.problems.push_back(std::move(problem));
        return out_.problems.size() < max_file_problems || stop("and more");
    }

    bool top_key(const std::string& text) {
        name_ = text;
        in_metadata_ = text == metadata_key;
        return names_.insert(text).second || report(fmt::format("{} appears twice", quoted_name(text)));
    }

    bool metadata_name(const std::string& text) {
        return metadata_.insert(text).second || report(fmt::format("the metadata has {} twice", quoted_name(text)));
    }

    bool tensor_key(const std::string& text) {
        const unsigned bit = text == "dtype" ? 1 : text == "shape" ? 2 : text == "data_offsets" ? 4 : 0;
        const bool twice = (seen_keys_ & bit) != 0;
        seen_keys_ |= bit;
        return !twice || report(fmt::format("tensor {} has {} twice", quoted_name(name_), quoted_name(text)));
    }

    /// A value that is not what its place asks for, unless nothing is asked for there.
    bool value(std::string_view what) {
        if (in_metadata_) return depth_ > 2 || report("the metadata is not an object of strings");
        if (depth_ == 1) return report(fmt::format("tensor {} is {}, not an object", quoted_name(name_), what));
        const bool asked =
            depth_ == 2 ? key_ == "dtype" || key_ == "shape" || key_ == "data_offsets" : list_ != nullptr;
        if (!asked || record().faulty) return true;
        record().faulty = true;
        const char* verb = depth_ == 2 ? "is" : "holds";
        return report(fmt::format("tensor {}: its {} {} {}", quoted_name(name_), key_, verb, what));
    }

    SafetensorsRecords& out_;
    int depth_ = 0;
    bool in_object_ = false;
    bool in_metadata_ = false;
    unsigned seen_keys_ = 0;
    std::string name_;
    std::string key_;
    std::vector<std::uint64_t>* list_ = nullptr;
    std::unordered_set<std::string> names_;
    std::unordered_set<std::string> metadata_;
};

}  // namespace

SafetensorsRecords read_safetensors_json(std::string_view text) {
    SafetensorsRecords out;
    // The library's reader skips a byte order mark and takes a NUL for the end.
    if (text.empty() || text.front() != '{') {
        out.problems.emplace_back("the header does not begin with {");
    } else if (const std::size_t position = text.find('\0'); position != std::string_view::npos) {
        out.problems.push_back(fmt::format("the header has a NUL at its byte {}", position + 1));
    } else {
        Handler handler(out);
        nlohmann::json::sax_parse(text.begin(), text.end(), &handler);
    }
    return out;
}

}  // namespace seq
