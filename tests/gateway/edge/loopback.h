// Two ends of one real connection in one process, and a loop that gives up rather than hang.

#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "gateway/edge/own_ca.h"
#include "gateway/edge/stream.h"
#include "tests/temporary_directory.h"

namespace sallyport::testing {

inline constexpr auto patience = std::chrono::seconds(50);

// A coroutine that was started; its value is there once it has ended.
template <class T>
using Started = std::shared_ptr<std::optional<T>>;

class Loop final {
public:
    boost::asio::io_context& io() { return io_; }

    template <class T>
    Started<T> start(boost::asio::awaitable<T> task)
    {
        auto slot = std::make_shared<std::optional<T>>();
        boost::asio::co_spawn(io_, store(std::move(task), slot), boost::asio::detached);
        return slot;
    }

    // Runs everything until this one has ended. The test fails, and the program ends, where it does
    // not in time.
    template <class T>
    T finish(const Started<T>& started)
    {
        const auto until = std::chrono::steady_clock::now() + patience;
        io_.restart();
        while (!started->has_value()) {
            if (std::chrono::steady_clock::now() > until) {
                ADD_FAILURE() << "a coroutine did not end";
                std::abort();
            }
            io_.run_one_for(std::chrono::milliseconds(100));
            io_.restart();
        }
        return std::move(**started);
    }

    template <class T>
    T run(boost::asio::awaitable<T> task)
    {
        return finish(start(std::move(task)));
    }

private:
    template <class T>
    static boost::asio::awaitable<void> store(boost::asio::awaitable<T> task, Started<T> slot)
    {
        slot->emplace(co_await std::move(task));
    }

    boost::asio::io_context io_;
};

struct Ends {
    Stream near;  // the gateway's
    Stream far;   // the peer's
};

inline std::pair<boost::asio::ip::tcp::socket, boost::asio::ip::tcp::socket> connected_sockets(
    boost::asio::io_context& io)
{
    using boost::asio::ip::tcp;
    tcp::acceptor acceptor(io, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
    tcp::socket far(io);
    far.connect(acceptor.local_endpoint());
    tcp::socket near = acceptor.accept();
    return {std::move(near), std::move(far)};
}

inline Ends connected(boost::asio::io_context& io)
{
    auto [near, far] = connected_sockets(io);
    return {Stream(std::move(near)), Stream(std::move(far))};
}

using sallyport::TemporaryDirectory;

inline std::string contents(const std::string& file)
{
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

// Reads until `size` bytes are there or the peer has finished.
inline boost::asio::awaitable<std::string> read_exactly(Stream& stream, std::size_t size)
{
    std::string text(size, '\0');
    std::size_t done = 0;
    while (done < size) {
        const MutableBytes rest = std::as_writable_bytes(std::span(text)).subspan(done);
        auto count = co_await stream.read_some(rest);
        if (!count || *count == 0)
            break;
        done += *count;
    }
    text.resize(done);
    co_return text;
}

inline boost::asio::awaitable<bool> write_text(Stream& stream, std::string_view text)
{
    auto written = co_await stream.write(bytes_of(text));
    co_return written.has_value();
}

// Bytes that repeat nowhere near, so that a lost or doubled piece shows.
inline std::string patterned(std::size_t size)
{
    std::string text(size, '\0');
    std::uint32_t state = 12345;
    for (char& c : text) {
        state = state * 1664525 + 1013904223;
        c = static_cast<char>(state >> 24);
    }
    return text;
}

}  // namespace sallyport::testing
