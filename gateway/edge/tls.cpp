#include "gateway/edge/tls.h"

#include <algorithm>
#include <cstring>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "gateway/edge/system_authorities.h"

namespace sallyport {

namespace {

constexpr std::size_t read_buffer_size = std::size_t{32} * 1024;

// The reason of the oldest queued OpenSSL error, which is the one closest to the cause.
std::string openssl_reason()
{
    const unsigned long code = ERR_peek_error();
    std::string text;
    if (ERR_SYSTEM_ERROR(code))
        text = std::strerror(ERR_GET_REASON(code));
    else if (const char* reason = ERR_reason_error_string(code); reason != nullptr)
        text = reason;
    else
        text = "unknown error";
    ERR_clear_error();
    return text;
}

// Never asks on a terminal for the password of a key.
int no_password(char*, int, int, void*)
{
    return 0;
}

void set_common_options(SSL_CTX* context)
{
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    // Sessions are not resumed, as in PostgreSQL itself: a resumed session would not show its
    // certificate again.
    SSL_CTX_set_options(context,
                        SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_default_read_buffer_len(context, read_buffer_size);
    SSL_CTX_set_default_passwd_cb(context, no_password);
}

Result<void> load_key_pair(SSL_CTX* context, const std::string& certificate_file,
                           const std::string& key_file)
{
    if (SSL_CTX_use_certificate_chain_file(context, certificate_file.c_str()) != 1)
        return failure(Fault::unavailable,
                       "TLS certificate " + certificate_file + ": " + openssl_reason());
    if (SSL_CTX_use_PrivateKey_file(context, key_file.c_str(), SSL_FILETYPE_PEM) != 1)
        return failure(Fault::unavailable, "TLS key " + key_file + ": " + openssl_reason());
    if (SSL_CTX_check_private_key(context) != 1)
        return failure(
            Fault::unavailable,
            "TLS key " + key_file + " does not belong to the certificate " + certificate_file);
    return {};
}

std::string protocol_list(const std::string& name)
{
    return static_cast<char>(name.size()) + name;
}

// A client that names protocols and not ours speaks something else: the handshake ends, as
// PostgreSQL 17 does it.
int select_protocol(SSL*, const unsigned char** chosen, unsigned char* chosen_size,
                    const unsigned char* offered, unsigned offered_size, void* ours)
{
    const std::string& list = *static_cast<const std::string*>(ours);
    unsigned char* found = nullptr;
    const int result = SSL_select_next_proto(
        &found, chosen_size, reinterpret_cast<const unsigned char*>(list.data()),
        static_cast<unsigned>(list.size()), offered, offered_size);
    *chosen = found;
    return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

// ca_file: empty for the system's authorities.
bool trust(SSL_CTX* context, const std::string& ca_file)
{
    if (!ca_file.empty())
        return SSL_CTX_load_verify_locations(context, ca_file.c_str(), nullptr) == 1;
    const auto system = system_authorities();
    if (!system)
        return false;
    SSL_CTX_set1_cert_store(context, system.get());  // takes a reference of its own
    return true;
}

}  // namespace

Result<ServerTls> ServerTls::load(const std::string& certificate_file, const std::string& key_file,
                                  const std::string& client_ca_file, const std::string& alpn)
{
    ERR_clear_error();
    // The context keeps a pointer to the protocol list, so they live and die together.
    auto protocols =
        std::make_shared<std::string>(alpn.empty() ? std::string() : protocol_list(alpn));
    SSL_CTX* made = SSL_CTX_new(TLS_server_method());
    if (made == nullptr)
        return failure(Fault::unavailable, "TLS: " + openssl_reason());
    std::shared_ptr<SSL_CTX> context(made,
                                     [kept = protocols](SSL_CTX* owned) { SSL_CTX_free(owned); });

    set_common_options(made);
    SSL_CTX_set_num_tickets(made, 0);
    SSL_CTX_set_options(made, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_cipher_list(made, "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:DHE+CHACHA20");
    if (auto loaded = load_key_pair(made, certificate_file, key_file); !loaded)
        return tl::unexpected(std::move(loaded).error());
    if (!client_ca_file.empty()) {
        STACK_OF(X509_NAME)* names = SSL_load_client_CA_file(client_ca_file.c_str());
        if (names == nullptr ||
            SSL_CTX_load_verify_locations(made, client_ca_file.c_str(), nullptr) != 1) {
            sk_X509_NAME_pop_free(names, X509_NAME_free);
            return failure(Fault::unavailable,
                           "TLS client CA " + client_ca_file + ": " + openssl_reason());
        }
        SSL_CTX_set_client_CA_list(made, names);
        SSL_CTX_set_verify(made, SSL_VERIFY_PEER, nullptr);
    }
    if (!alpn.empty())
        SSL_CTX_set_alpn_select_cb(made, select_protocol, protocols.get());
    return ServerTls(std::move(context));
}

Result<ClientTls> ClientTls::load(const Wish& wish)
{
    ERR_clear_error();
    SSL_CTX* made = SSL_CTX_new(TLS_client_method());
    if (made == nullptr)
        return failure(Fault::unavailable, "TLS: " + openssl_reason());
    std::shared_ptr<SSL_CTX> context(made, [](SSL_CTX* owned) { SSL_CTX_free(owned); });

    set_common_options(made);
    if (wish.verify_chain) {
        if (!trust(made, wish.ca_file))
            return failure(
                Fault::unavailable,
                "TLS CA " + (wish.ca_file.empty() ? "certificates of the system" : wish.ca_file) +
                    ": " + openssl_reason());
        SSL_CTX_set_verify(made, SSL_VERIFY_PEER, nullptr);
    }
    if (wish.verify_host && wish.host.empty())
        return failure(Fault::unavailable, "TLS: there is no host name to verify");
    if (!wish.certificate_file.empty()) {
        if (auto loaded = load_key_pair(made, wish.certificate_file, wish.key_file); !loaded)
            return tl::unexpected(std::move(loaded).error());
    }
    if (!wish.alpn.empty()) {
        const std::string list = protocol_list(wish.alpn);
        SSL_CTX_set_alpn_protos(made, reinterpret_cast<const unsigned char*>(list.data()),
                                static_cast<unsigned>(list.size()));
    }
    return ClientTls(std::move(context), wish.host, wish.verify_chain && wish.verify_host);
}

}  // namespace sallyport
