// The client's side of SCRAM-SHA-256, plain and slow, for tests of the server's.

#pragma once

#include <string>
#include <string_view>

#include "gateway/digest/digest.h"

namespace sallyport::testing {

// The value of an attribute in a server message, "r", "s" or "i".
inline std::string attribute_of(std::string_view message, char name)
{
    const std::string key = {name, '='};
    std::size_t at = message.starts_with(key) ? 0 : message.find("," + key);
    if (at == message.npos)
        return {};
    if (message[at] == ',')
        ++at;
    const std::size_t end = message.find(',', at);
    return std::string(message.substr(at + 2, end == message.npos ? end : end - at - 2));
}

struct ScramAnswer {
    std::string client_final;
    std::string server_final;  // what a server that knows the password must send
};

// client_first as it was sent, with its gs2 header; binding: channel binding data behind it.
inline ScramAnswer answer_scram(std::string_view password, std::string_view client_first,
                                std::string_view server_first, std::string_view binding = {})
{
    const std::size_t bare = client_first.find(",,") + 2;
    const std::string header(client_first.substr(0, bare));
    const std::string salt = *from_base64(attribute_of(server_first, 's'));
    const int iterations = std::stoi(attribute_of(server_first, 'i'));
    const Sha256 salted = pbkdf2_sha256(password, bytes_of(salt), iterations);
    const Sha256 client_key = hmac_sha256(salted, bytes_of("Client Key"));
    const Sha256 stored_key = sha256(client_key);

    std::string without_proof = "c=" + to_base64(bytes_of(header + std::string(binding))) +
                                ",r=" + attribute_of(server_first, 'r');
    const std::string text = std::string(client_first.substr(bare)) + "," +
                             std::string(server_first) + "," + without_proof;
    const Sha256 signature = hmac_sha256(stored_key, bytes_of(text));
    Sha256 proof{};
    for (std::size_t i = 0; i < proof.size(); ++i)
        proof[i] = client_key[i] ^ signature[i];
    const Sha256 server_key = hmac_sha256(salted, bytes_of("Server Key"));
    return {without_proof + ",p=" + to_base64(proof),
            "v=" + to_base64(hmac_sha256(server_key, bytes_of(text)))};
}

}  // namespace sallyport::testing
