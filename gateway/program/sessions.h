// `sallyport sessions` and `sallyport replay`: what was recorded, out of the store.

#pragma once

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <span>
#include <string>

#include "gateway/config/configuration.h"
#include "replay/player/player.h"

namespace CLI {
class App;
}

namespace sallyport {

struct SessionsQuestion {
    std::string config_file;
    std::optional<std::string> user;
    std::optional<std::string> connection;
    std::optional<std::string> since;  // as read_moment() understands it
    std::optional<std::string> until;
    std::optional<std::string> search;
    std::size_t limit = 100;
    bool json = false;
};

// Lists what matches, newest first. 0, also where nothing matches; 1 where the store cannot answer;
// 2 for a filter or a configuration that cannot be read. Problems are told to errors.
int list_sessions(const SessionsQuestion& question, std::span<const ProtocolWords> protocols,
                  std::ostream& out, std::ostream& errors);

struct ReplayQuestion {
    std::string config_file;
    std::string id;
    std::string format = "text";         // text, json or sql
    std::optional<double> speed;         // 1: as fast as it happened; nothing: at once
    std::optional<double> idle_limit_s;  // of waits, before the speed is applied
    bool terminal = false;               // out is one
};

// Plays one session. 0; 1 where there is no such session, the store cannot answer or the record
// does not verify; 2 for wrong use. Problems are told to errors.
int replay(const ReplayQuestion& question, std::span<const ProtocolWords> protocols,
           std::span<const ProtocolTranscript> transcripts, std::ostream& out,
           std::ostream& errors);

// Adds both subcommands; running one sets the status the program exits with. The spans and status
// outlive the app's parsing.
void add_sessions_commands(CLI::App& app, std::span<const ProtocolWords> protocols,
                           std::span<const ProtocolTranscript> transcripts, int& status);

}  // namespace sallyport
