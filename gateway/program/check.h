// `sallyport check`: is this configuration good?

#pragma once

#include <iosfwd>
#include <span>
#include <string>

#include "gateway/config/configuration.h"

namespace CLI {
class App;
}

namespace sallyport {

// Prints the problems, one a line as FILE:LINE: text (json: one object a line), or one line that
// says what the file holds. 0 where it is good, else 1.
int check(const std::string& config_file, std::span<const ProtocolWords> protocols, bool json,
          std::ostream& out);

// Adds the subcommand; running it sets the status the program exits with. protocols and status
// outlive the app's parsing.
void add_check_command(CLI::App& app, std::span<const ProtocolWords> protocols, int& status);

}  // namespace sallyport
