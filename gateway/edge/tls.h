// TLS settings of both directions, made once from files and shared by connections.

#pragma once

#include <memory>
#include <string>

#include "gateway/vocabulary/result.h"

struct ssl_ctx_st;

namespace sallyport {

// What the gateway shows its clients. TLS 1.2 and above; client certificates are asked for and,
// where one is given, must be of the client CA. No renegotiation, no compression, no early data.
class ServerTls {
public:
    // certificate and key: PEM files. client_ca_file: PEM of the CA whose client certificates are
    // accepted. alpn: the protocol offered to clients that negotiate one ("postgresql"); empty:
    // none. The error names the file.
    static Result<ServerTls> load(const std::string& certificate_file, const std::string& key_file,
                                  const std::string& client_ca_file, const std::string& alpn);

    ssl_ctx_st* native() const { return context_.get(); }

private:
    explicit ServerTls(std::shared_ptr<ssl_ctx_st> context) : context_(std::move(context)) {}

    std::shared_ptr<ssl_ctx_st> context_;
};

// How the gateway speaks TLS to one target.
class ClientTls {
public:
    struct Wish {
        bool verify_chain = true;
        bool verify_host = true;       // needs verify_chain
        std::string host;              // name or address to verify, and SNI where it is a name
        std::string ca_file;           // empty: the system's certificates
        std::string certificate_file;  // empty: no client certificate
        std::string key_file;
        std::string alpn;  // empty: none
    };

    static Result<ClientTls> load(const Wish& wish);

    ssl_ctx_st* native() const { return context_.get(); }
    const std::string& host() const { return host_; }
    bool verify_host() const { return verify_host_; }

private:
    ClientTls(std::shared_ptr<ssl_ctx_st> context, std::string host, bool verify_host)
        : context_(std::move(context)), host_(std::move(host)), verify_host_(verify_host)
    {
    }

    std::shared_ptr<ssl_ctx_st> context_;
    std::string host_;
    bool verify_host_;
};

}  // namespace sallyport
