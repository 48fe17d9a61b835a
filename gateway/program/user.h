// `sallyport user`: what the configuration keeps of a password or of a token.

#pragma once

#include <iosfwd>

#include "gateway/vocabulary/result.h"
#include "gateway/vocabulary/secret.h"

namespace CLI {
class App;
}

namespace sallyport {

// The first line that can be read from the descriptor, without its end. On a terminal it asks
// twice, on `prompts`, and shows nothing of what is typed. Fault::refused for an empty password,
// one with a zero byte, one longer than 1024 bytes, and two that differ.
Result<Secret> read_password(int descriptor, std::ostream& prompts);

// Prints the SCRAM verifier of that password, one line. Status 0, or 1 with a line on `problems`.
int hash_password(int descriptor, int iterations, std::ostream& out, std::ostream& problems);

// Prints a fresh API token, which is kept nowhere, and the line for the configuration.
int make_token(std::ostream& out);

// Adds `user hash-password` and `user token`; running one sets the status the program exits with.
// status outlives the app's parsing.
void add_user_commands(CLI::App& app, int& status);

}  // namespace sallyport
