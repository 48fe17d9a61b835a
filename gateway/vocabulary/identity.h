// Who is at the other end, once proved.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sallyport {

struct Identity {
    std::string name;                 // the local user's name, or the provider's user claim
    std::vector<std::string> groups;  // sorted
    std::string proof;                // how it was proved: "scram-sha-256", "token", "certificate"
};

// Where a client connects from, for the record and for limits.
struct Peer {
    std::string address;  // numeric, without the port
    std::uint16_t port = 0;
    bool encrypted = false;
};

}  // namespace sallyport
