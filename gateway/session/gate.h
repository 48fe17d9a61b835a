// The one door into the engine: proves who a client is, and opens a Session for him.
//
// Code that reads strangers' bytes before login holds a Gate and nothing else: no credential, no
// policy, no journal.

#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/identity/proved_user.h"
#include "gateway/identity/scram_server.h"
#include "gateway/session/session.h"
#include "gateway/vocabulary/identity.h"
#include "gateway/vocabulary/result.h"
#include "gateway/vocabulary/secret.h"

namespace sallyport {

class Journal;
class SnapshotSource;

// What a client asks for once it has proved who it is.
struct Presented {
    ProvedUser user;
    std::string connection;  // name of the configuration's connection
    std::string protocol;    // "postgres"
    std::string client;      // what it calls itself, application_name; shown to auditors
    Peer peer;
};

class Gate {
public:
    // Both outlive the gate.
    Gate(SnapshotSource& snapshots, Journal& journal);

    // How clients prove themselves; each as UserDirectory has it, under the configuration now in
    // force.
    ScramServer scram_for(std::string_view user, std::optional<std::string> channel_binding) const;
    bool asks_for_token(std::string_view user) const;
    Result<ProvedUser> prove_by_token(std::string_view user, const Secret& token) const;
    Result<ProvedUser> prove_by_certificate(std::string_view user,
                                            std::string_view common_name) const;

    // Whether the connection exists for this protocol and some policy names the user on it; records
    // the opening and completes once that record is as safe as the connection's durability asks.
    // Fault::refused where the user may not know more than that; the record says which it was.
    boost::asio::awaitable<Result<std::unique_ptr<Session>>> admit(Presented presented);

    // Records a login that failed. reason is for auditors, not for the client.
    void record_refusal(std::string_view protocol, std::string_view user,
                        std::string_view connection, const Peer& peer, std::string_view reason);

private:
    SnapshotSource& snapshots_;
    Journal& journal_;
};

}  // namespace sallyport
