// The first packet of a stranger.

#include <cstdint>
#include <cstdlib>

#include "protocols/postgres/startup.h"

using namespace sallyport;

namespace {

void require(bool holds)
{
    if (!holds)
        std::abort();
}

void check(const postgres::StartupMessage& startup)
{
    require(startup.major == 3 && !startup.user.empty() && !startup.database.empty());
    const auto passed = postgres::passed_on(startup);
    if (!passed)
        return;
    for (const char* name : {"user", "database", "role", "session_authorization", "replication",
                             "options", "client_encoding", "standard_conforming_strings",
                             "session_preload_libraries", "local_preload_libraries"})
        require(!passed->contains(name));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const Bytes bytes = std::as_bytes(std::span(data, size));
    std::size_t consumed = 0;
    const auto packet = postgres::read_startup(bytes, consumed);
    require(consumed <= size && consumed <= postgres::startup_limit + 4);
    if (!packet || !*packet)
        return 0;
    require(consumed >= 8);
    if (const auto* startup = std::get_if<postgres::StartupMessage>(&**packet))
        check(*startup);
    if (const auto* cancel = std::get_if<postgres::CancelRequest>(&**packet))
        require(cancel->secret.size() >= 4 && cancel->secret.size() <= 256);
    // Without its last byte it is not there yet.
    std::size_t none = 0;
    const auto cut = postgres::read_startup(bytes.first(consumed - 1), none);
    require(cut && !*cut && none == 0);
    return 0;
}
