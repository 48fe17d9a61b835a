// A target's SCRAM messages, up to the first zero byte server-first, behind it server-final: none
// of them is taken for one that knows the password.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "protocols/postgres/scram_client.h"

using namespace sallyport;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    const std::string server_first(input.substr(0, input.find('\0')));
    const std::string_view server_final = input.substr(std::min(size, server_first.size() + 1));
    // More iterations than these say nothing new and are slow.
    const std::size_t iterations = server_first.find(",i=");
    if (iterations != std::string::npos && server_first.size() - iterations > 6 &&
        server_first.size() - iterations < 9)
        return 0;
    static const Secret password("pencil");
    postgres::ScramClient client(
        password, size % 2 == 0 ? std::optional<std::string>("binding") : std::nullopt,
        size % 3 == 0, "fixed-nonce");
    (void)client.first();
    const auto final = client.final(server_first);
    if (final && (!server_first.starts_with("r=fixed-nonce") || final->find(",p=") == final->npos))
        std::abort();
    if (client.verify(server_final))
        std::abort();
    return 0;
}
