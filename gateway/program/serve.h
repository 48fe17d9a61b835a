// `sallyport serve`: the gateway itself.

#pragma once

#include <span>
#include <string>

#include "gateway/config/configuration.h"

namespace CLI {
class App;
}

namespace sallyport {

// Runs until SIGTERM or SIGINT; SIGHUP reads the configuration again. 0 after an orderly end, 1
// where it could not start or had to stop.
int serve(const std::string& config_file, std::span<const ProtocolWords> protocols);

// Adds the subcommand; running it sets the status the program exits with. protocols and status
// outlive the app's parsing.
void add_serve_command(CLI::App& app, std::span<const ProtocolWords> protocols, int& status);

}  // namespace sallyport
