// `sallyport decide`: what would happen to a command, and why, without contacting a target.

#pragma once

#include <iosfwd>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/config/configuration.h"
#include "gateway/targets/target.h"
#include "gateway/vocabulary/column.h"
#include "gateway/vocabulary/command.h"
#include "gateway/vocabulary/result.h"

namespace CLI {
class App;
}

namespace sallyport {

// How one protocol reads a text into a Command. Lives as long as the program.
// How a protocol understands a text.
struct Understood {
    std::shared_ptr<const Command> command;
    std::vector<std::pair<std::string, std::string>> functions;  // name, how it was resolved
    std::vector<Column> columns;                                 // of its result
    std::shared_ptr<const void> kept;                            // what the above refers to
};

struct CommandReader {
    std::string_view protocol;  // "postgres"
    std::string_view option;    // the option its texts are given with: "--sql"
    // state_dir: where a gateway keeps what it last knew of its targets.
    Result<Understood> (*read)(std::string_view text, const Connection& connection,
                               const std::string& state_dir);
};

struct Question {
    std::string config_file;
    std::string user;
    std::string connection;
    std::optional<std::string> sql;   // exactly one of sql, exec and http
    std::optional<std::string> exec;  // protocol ssh
    std::optional<std::string> http;  // protocol http
    std::string body;                 // of the http request
    bool json = false;                // the answer on one line
};

// Prints the answer as JSON to out: 0 for allow, 1 for deny and hold. What cannot be answered is
// told to errors: 2.
int decide(const Question& question, std::span<const ProtocolWords> protocols,
           std::span<const CommandReader> readers, std::ostream& out, std::ostream& errors);

// Adds the subcommand; running it sets the status the program exits with. The spans and status
// outlive the app's parsing.
void add_decide_command(CLI::App& app, std::span<const ProtocolWords> protocols,
                        std::span<const CommandReader> readers, int& status);

}  // namespace sallyport
