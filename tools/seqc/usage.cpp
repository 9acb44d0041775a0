#include "tools/seqc/usage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <CLI/CLI.hpp>

#include "frontend/suggest.hpp"
#include "tools/seqc/console.hpp"

namespace seqc {
namespace {

bool is_option(const std::string& word) { return word.size() > 1 && word[0] == '-'; }

std::vector<std::string> command_names(const CLI::App& app) {
    std::vector<std::string> names;
    for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; }))
        names.push_back(sub->get_name());
    return names;
}

std::vector<std::string> option_names(const CLI::App& app) {
    std::vector<std::string> names;
    for (const CLI::Option* option : app.get_options()) {
        for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
        for (const std::string& name : option->get_snames()) names.push_back("-" + name);
    }
    return names;
}

std::string guess(const std::string& word, const std::vector<std::string>& names) {
    const std::vector<std::string_view> views(names.begin(), names.end());
    return seq::did_you_mean(seq::nearest(word, views));
}

/// The command that stands on the command line, or the program.
const CLI::App& chosen(const CLI::App& app) {
    const auto commands = app.get_subcommands();
    return commands.empty() ? app : *commands.front();
}

/// What nothing on the command line takes; empty where the fault is another.
std::string unexpected(const CLI::App& app) {
    const std::vector<std::string> words = app.remaining(true);
    const auto option = std::find_if(words.begin(), words.end(), is_option);
    if (option != words.end()) {
        const std::string name = option->substr(0, option->find('='));
        const std::string owner = &chosen(app) == &app ? app.get_name() : app.get_name() + " " + chosen(app).get_name();
        return fmt::format("'{}' has no option '{}'{}", owner, name, guess(name, option_names(chosen(app))));
    }
    if (words.empty()) return {};
    return fmt::format("'{}' is one argument too many", words.front());
}

const CLI::Option* missing(const CLI::App& app) {
    const auto options =
        app.get_options([](const CLI::Option* option) { return option->get_required() && option->count() == 0; });
    return options.empty() ? nullptr : options.front();
}

/// What the library says in words of its own.
std::string plain_words(const CLI::App& app, const CLI::ParseError& error) {
    const std::string text = error.what();
    const CLI::App& command = chosen(app);
    if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr) {
        if (&command == &app) return "a command is required";
        const CLI::Option* option = missing(command);
        return option == nullptr ? text
                                 : fmt::format("{} is required: {}", option->get_name(), option->get_description());
    }
    if (dynamic_cast<const CLI::ConversionError*>(&error) != nullptr) {  // numbers are checked before
        const std::size_t from = text.find("--"), to = text.find(" = ");
        if (from < to && to != std::string::npos)
            return fmt::format("{} takes no value, but gets '{}'", text.substr(from, to - from), text.substr(to + 3));
    }
    if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) {
        const std::string name = text.substr(0, text.find(':'));
        if (text.find("received") != std::string::npos)
            return fmt::format("{} is given more than once; give it one value", name);
        for (const CLI::App* owner : {&command, &app}) {
            const CLI::Option* option = owner->get_option_no_throw(name);
            if (option != nullptr)
                return fmt::format("{} takes {}, but nothing follows it", name, option->get_type_name());
        }
    }
    return text;
}

}  // namespace

std::string unknown_command(const CLI::App& app) {
    if (!app.get_subcommands().empty()) return {};
    const std::vector<std::string> words = app.remaining();
    return words.empty() || is_option(words.front()) ? std::string() : words.front();
}

void explain_command(const CLI::App& app, const std::string& word) {
    print_error(fmt::format("there is no command '{}'{}", word, guess(word, command_names(app))));
    print_note("'seqc --help' lists the commands");
}

void explain_usage(const CLI::App& app, const CLI::ParseError& error) {
    const std::string word = unknown_command(app);
    if (!word.empty()) return explain_command(app, word);
    const bool incomplete = dynamic_cast<const CLI::RequiredError*>(&error) != nullptr;
    const bool left_over = dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr;
    const bool bare = &chosen(app) == &app;
    std::string message = incomplete || left_over ? unexpected(app) : std::string();
    print_error(message.empty() ? plain_words(app, error) : message);
    print_note(bare ? "'seqc --help' lists the commands"
                    : fmt::format("'seqc {} --help' shows its options", chosen(app).get_name()));
}

}  // namespace seqc
