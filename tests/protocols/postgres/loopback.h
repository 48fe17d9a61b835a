// For tests of logins: runs one coroutine to its end, and a peer on a real socket that follows a
// script.

#pragma once

#include <arpa/inet.h>
#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <exception>
#include <functional>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <optional>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include "protocols/postgres/frame.h"
#include "protocols/postgres/message.h"

namespace sallyport::postgres {

template <class T>
boost::asio::awaitable<void> keep(boost::asio::awaitable<T> task, std::optional<T>& result)
{
    result.emplace(co_await std::move(task));
}

template <class T>
T run(boost::asio::io_context& io, boost::asio::awaitable<T> task)
{
    std::optional<T> result;
    boost::asio::co_spawn(io, keep(std::move(task), result), [](const std::exception_ptr& error) {
        if (error)
            std::rethrow_exception(error);
    });
    io.run();
    io.restart();
    return std::move(result.value());
}

// A blocking socket for scripts. What does not come within ten seconds never comes.
class Wire {
public:
    explicit Wire(int descriptor) : descriptor_(descriptor)
    {
        const timeval patience{10, 0};
        const int on = 1;
        setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    Wire(const Wire&) = delete;
    Wire& operator=(const Wire&) = delete;
    ~Wire()
    {
        SSL_free(ssl_);
        ::close(descriptor_);
    }

    // As a client that verifies nothing. False where the handshake failed.
    bool begin_tls(const std::string& alpn = {}, const std::string& certificate_file = {},
                   const std::string& key_file = {})
    {
        SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
        if (!certificate_file.empty()) {
            EXPECT_EQ(SSL_CTX_use_certificate_chain_file(context, certificate_file.c_str()), 1);
            EXPECT_EQ(SSL_CTX_use_PrivateKey_file(context, key_file.c_str(), SSL_FILETYPE_PEM), 1);
        }
        SSL* const ssl = SSL_new(context);
        SSL_CTX_free(context);
        if (!alpn.empty()) {
            const std::string list = static_cast<char>(alpn.size()) + alpn;
            SSL_set_alpn_protos(ssl, reinterpret_cast<const unsigned char*>(list.data()),
                                static_cast<unsigned>(list.size()));
        }
        SSL_set_fd(ssl, descriptor_);
        const bool shaken = SSL_connect(ssl) == 1;
        ssl_ = ssl;
        return shaken;
    }

    // tls-server-end-point of a certificate signed with SHA-256.
    std::string channel_binding() const
    {
        X509* const certificate = SSL_get1_peer_certificate(ssl_);
        std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
        unsigned size = 0;
        EXPECT_EQ(X509_digest(certificate, EVP_sha256(), digest.data(), &size), 1);
        X509_free(certificate);
        return {reinterpret_cast<const char*>(digest.data()), size};
    }

    // Whether the peer was still there.
    bool send(std::string_view bytes)
    {
        while (!bytes.empty()) {
            const ssize_t sent =
                ssl_ == nullptr ? ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL)
                                : SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()));
            if (sent <= 0)
                return false;
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }

    // Fewer bytes where the peer ended first.
    std::string read(std::size_t count)
    {
        std::string bytes(count, '\0');
        std::size_t have = 0;
        while (have < count) {
            const ssize_t got =
                ssl_ == nullptr
                    ? ::recv(descriptor_, bytes.data() + have, count - have, 0)
                    : SSL_read(ssl_, bytes.data() + have, static_cast<int>(count - have));
            if (got <= 0)
                break;
            have += static_cast<std::size_t>(got);
        }
        bytes.resize(have);
        return bytes;
    }

    std::string read_to_the_end() { return read(std::size_t{1} << 20); }

    // A packet without a type byte, whole; and a message, whole.
    std::string read_packet() { return read_rest(read(4), 0); }
    std::string read_message() { return read_rest(read(header_size), 1); }

    void finish() { ::shutdown(descriptor_, SHUT_WR); }
    int descriptor() const { return descriptor_; }

private:
    std::string read_rest(std::string head, std::size_t length_at)
    {
        if (head.size() < length_at + 4)
            return head;
        const std::size_t length = read_u32(bytes_of(head).subspan(length_at));
        return head + read(length + length_at - head.size());
    }

    int descriptor_;
    SSL* ssl_ = nullptr;
};

inline sockaddr_in loopback_address(std::uint16_t port)
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    return address;
}

// A server that accepts one connection and follows its script on a thread of its own.
class ScriptedServer {
public:
    using Script = std::function<void(Wire&)>;

    explicit ScriptedServer(Script script) : listener_(::socket(AF_INET, SOCK_STREAM, 0))
    {
        sockaddr_in address = loopback_address(0);
        socklen_t size = sizeof address;
        EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
        EXPECT_EQ(::listen(listener_, 8), 0);
        EXPECT_EQ(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
        port_ = ntohs(address.sin_port);
        thread_ = std::thread([this, play = std::move(script)] {
            const int accepted = ::accept(listener_, nullptr, nullptr);
            if (accepted < 0)
                return;  // nobody came before the test was over
            Wire wire(accepted);
            play(wire);
        });
    }
    ScriptedServer(const ScriptedServer&) = delete;
    ScriptedServer& operator=(const ScriptedServer&) = delete;
    ~ScriptedServer()
    {
        ::shutdown(listener_, SHUT_RDWR);
        thread_.join();
        ::close(listener_);
    }

    std::uint16_t port() const { return port_; }

private:
    int listener_;
    std::uint16_t port_ = 0;
    std::thread thread_;
};

// What clients and servers of these tests say.
inline std::string be32(std::uint32_t value)
{
    std::string bytes(4, '\0');
    write_u32(std::as_writable_bytes(std::span(bytes)).data(), value);
    return bytes;
}

inline std::string packet(std::string_view body)
{
    return be32(static_cast<std::uint32_t>(body.size() + 4)) + std::string(body);
}

inline std::string message(char type, std::string_view body)
{
    return type + packet(body);
}

inline const std::string ssl_request_packet = packet(be32((1234U << 16) | 5679U));
inline const std::string gss_request_packet = packet(be32((1234U << 16) | 5680U));

}  // namespace sallyport::postgres
