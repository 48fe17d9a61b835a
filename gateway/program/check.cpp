#include "gateway/program/check.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

namespace sallyport {

namespace {

std::string counted(std::size_t count, const std::string& one, const std::string& many)
{
    return std::to_string(count) + " " + (count == 1 ? one : many);
}

std::string as_line(const nlohmann::ordered_json& object)
{
    return object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace

int check(const std::string& config_file, std::span<const ProtocolWords> protocols, bool json,
          std::ostream& out)
{
    const auto configuration = read_configuration(config_file, protocols);
    if (!configuration) {
        for (const Problem& problem : configuration.error()) {
            if (json)
                out << as_line(
                           {{"file", problem.file}, {"line", problem.line}, {"text", problem.text}})
                    << '\n';
            else
                out << to_string(problem) << '\n';
        }
        return 1;
    }
    if (json) {
        out << as_line({{"file", config_file},
                        {"hash", configuration->hash},
                        {"policies_hash", configuration->policies_hash},
                        {"users", configuration->users.size()},
                        {"connections", configuration->connections.size()},
                        {"policies", configuration->policies.size()}})
            << '\n';
        return 0;
    }
    out << config_file << ": good: " << counted(configuration->users.size(), "user", "users")
        << ", " << counted(configuration->connections.size(), "connection", "connections") << ", "
        << counted(configuration->policies.size(), "policy", "policies") << ", "
        << configuration->hash << '\n';
    return 0;
}

void add_check_command(CLI::App& app, std::span<const ProtocolWords> protocols, int& status)
{
    struct Options {
        std::string config;
        bool json = false;
    };
    const auto options = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand("check", "Validate configuration and policies");
    command->add_option("--config", options->config, "The configuration file")->required();
    command->add_flag("--json", options->json, "One JSON object a line");
    command->footer(
        "Prints every problem as FILE:LINE: text; the exit status is 0 for a good file, else 1.\n"
        "Example:\n  sallyport check --config gateway.yaml");
    command->callback([options, protocols, &status] {
        status = check(options->config, protocols, options->json, std::cout);
    });
}

}  // namespace sallyport
