// A stranger's SCRAM messages, before anybody is known. Input: one byte of choices, then the first
// and the final message with a line feed between them.
//
// Nobody gets in without the password, whatever he sends; where the first message is accepted, the
// one right answer to it is accepted as well.

#include <cstdint>
#include <cstdlib>

#include "gateway/identity/scram_server.h"
#include "tests/gateway/identity/scram_client.h"

namespace {

using sallyport::ScramServer;

const sallyport::ScramVerifier& verifier()
{
    static const sallyport::ScramVerifier made =
        sallyport::make_scram_verifier(sallyport::Secret("pencil"));
    return made;
}

ScramServer server(bool binding_offered)
{
    std::optional<std::string> binding;
    if (binding_offered)
        binding = std::string(32, 'b');
    return {verifier(), sallyport::Identity{"alice", {}, "scram-sha-256"}, std::move(binding),
            "fixed-nonce"};
}

void require(bool holds)
{
    if (!holds)
        std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size == 0)
        return 0;
    const bool plus = (data[0] & 1) != 0;
    const bool binding_offered = (data[0] & 2) != 0;
    const std::string_view mechanism = plus ? "SCRAM-SHA-256-PLUS" : "SCRAM-SHA-256";
    const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
    const std::size_t line = input.find('\n');
    const std::string_view first = input.substr(0, line);
    const std::string_view final = line == input.npos ? std::string_view() : input.substr(line + 1);

    ScramServer attacked = server(binding_offered);
    const auto challenge = attacked.first(mechanism, first);
    require(!attacked.final(final).has_value());
    if (!challenge)
        return 0;
    ScramServer honest = server(binding_offered);
    require(honest.first(mechanism, first).has_value());
    const std::string binding(plus ? 32 : 0, 'b');
    const auto answer =
        sallyport::testing::answer_scram("pencil", first, *challenge, binding).client_final;
    // An honest nonce may be so long that the answer is not allowed any more.
    require(answer.size() > 1024 || honest.final(answer).has_value());
    return 0;
}
