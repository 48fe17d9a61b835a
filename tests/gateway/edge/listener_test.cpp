#include "gateway/edge/listener.h"

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <condition_variable>
#include <gmock/gmock.h>
#include <map>
#include <mutex>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <stdexcept>
#include <string_view>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>

#include "tests/gateway/edge/loopback.h"

namespace sallyport::testing {
namespace {

namespace asio = boost::asio;
using asio::awaitable;
using asio::ip::tcp;

// Two threads as the program has them.
class Threads final {
public:
    Threads()
    {
        for (std::size_t i = 0; i < 2; ++i) {
            contexts_.push_back(std::make_unique<asio::io_context>(1));
            work_.push_back(asio::make_work_guard(*contexts_.back()));
        }
        for (auto& context : contexts_)
            threads_.emplace_back([&context = *context] { context.run(); });
    }
    Threads(const Threads&) = delete;
    Threads& operator=(const Threads&) = delete;
    ~Threads()
    {
        for (auto& context : contexts_)
            context->stop();
        for (std::thread& thread : threads_)
            thread.join();
    }

    std::vector<asio::io_context*> all()
    {
        std::vector<asio::io_context*> list;
        list.reserve(contexts_.size());
        for (auto& context : contexts_)
            list.push_back(context.get());
        return list;
    }

private:
    std::vector<std::unique_ptr<asio::io_context>> contexts_;
    std::vector<asio::executor_work_guard<asio::io_context::executor_type>> work_;
    std::vector<std::thread> threads_;
};

template <class Claim>
bool comes_true(Claim claim)
{
    const auto until = std::chrono::steady_clock::now() + patience;
    while (!claim()) {
        if (std::chrono::steady_clock::now() > until)
            return false;
        std::this_thread::yield();
    }
    return true;
}

// Greets, then holds the connection until the client leaves. "boom" makes it throw.
class Greeter final : public Service {
public:
    awaitable<void> serve(Stream client) override
    {
        {
            const std::lock_guard lock(mutex_);
            ++by_thread_[std::this_thread::get_id()];
        }
        auto greeted = co_await client.write(bytes_of("hi"));
        if (!greeted)
            co_return;
        const std::string word = co_await read_exactly(client, 4);
        if (word == "boom")
            throw std::logic_error("a broken invariant");
    }

    std::map<std::thread::id, int> by_thread()
    {
        const std::lock_guard lock(mutex_);
        return by_thread_;
    }

private:
    std::mutex mutex_;
    std::map<std::thread::id, int> by_thread_;
};

tcp::socket client_of(asio::io_context& io, std::uint16_t port)
{
    tcp::socket socket(io);
    socket.connect(tcp::endpoint(asio::ip::address_v4::loopback(), port));
    return socket;
}

std::string greeting(tcp::socket& socket)
{
    std::array<char, 2> text{};
    boost::system::error_code error;
    const std::size_t count = asio::read(socket, asio::buffer(text), error);
    return {text.data(), count};
}

TEST(ListenerTest, DealsConnectionsOutToTheThreads)
{
    Greeter greeter;
    Threads threads;
    auto listener = Listener::open("127.0.0.1:0", threads.all(), greeter, 100);
    ASSERT_TRUE(listener.has_value());
    (*listener)->start();
    asio::io_context io;
    std::vector<tcp::socket> clients;
    for (int i = 0; i < 8; ++i) {
        clients.push_back(client_of(io, (*listener)->port()));
        EXPECT_EQ(greeting(clients.back()), "hi");
    }
    EXPECT_EQ((*listener)->connections(), 8U);
    const auto shares = greeter.by_thread();
    ASSERT_EQ(shares.size(), 2U);
    for (const auto& [thread, share] : shares)
        EXPECT_EQ(share, 4);
    clients.clear();
    EXPECT_TRUE(comes_true([&] { return (*listener)->connections() == 0; }));
}

TEST(ListenerTest, LeavesTheLastThreadAloneWhileTheOthersHaveFew)
{
    Greeter greeter;
    Threads threads;
    auto listener = Listener::open("127.0.0.1:0", threads.all(), greeter, 100, 3);
    ASSERT_TRUE(listener.has_value());
    (*listener)->start();
    asio::io_context io;
    std::vector<tcp::socket> clients;
    const auto one_more = [&] {
        clients.push_back(client_of(io, (*listener)->port()));
        EXPECT_EQ(greeting(clients.back()), "hi");
    };
    for (int i = 0; i < 3; ++i)
        one_more();
    ASSERT_EQ(greeter.by_thread().size(), 1U);
    EXPECT_EQ(greeter.by_thread().begin()->second, 3);
    for (int i = 0; i < 4; ++i)
        one_more();
    std::vector<int> shares;
    for (const auto& [thread, share] : greeter.by_thread())
        shares.push_back(share);
    EXPECT_THAT(shares, ::testing::UnorderedElementsAre(5, 2));
}

TEST(ListenerTest, ServesEverybodyElseAfterAnException)
{
    Greeter greeter;
    Threads threads;
    auto listener = Listener::open("127.0.0.1:0", threads.all(), greeter, 100);
    (*listener)->start();
    asio::io_context io;
    tcp::socket quiet = client_of(io, (*listener)->port());
    EXPECT_EQ(greeting(quiet), "hi");
    tcp::socket loud = client_of(io, (*listener)->port());
    EXPECT_EQ(greeting(loud), "hi");
    asio::write(loud, asio::buffer("boom", 4));
    EXPECT_EQ(greeting(loud), "");
    EXPECT_TRUE(comes_true([&] { return (*listener)->connections() == 1; }));
    tcp::socket later = client_of(io, (*listener)->port());
    EXPECT_EQ(greeting(later), "hi");
}

TEST(ListenerTest, ClosesWhatIsOverTheLimit)
{
    Greeter greeter;
    Threads threads;
    auto listener = Listener::open("127.0.0.1:0", threads.all(), greeter, 2);
    (*listener)->start();
    asio::io_context io;
    std::vector<tcp::socket> clients;
    for (int i = 0; i < 2; ++i) {
        clients.push_back(client_of(io, (*listener)->port()));
        EXPECT_EQ(greeting(clients.back()), "hi");
    }
    tcp::socket third = client_of(io, (*listener)->port());
    EXPECT_EQ(greeting(third), "");
    clients.clear();
    EXPECT_TRUE(comes_true([&] { return (*listener)->connections() == 0; }));
    tcp::socket fourth = client_of(io, (*listener)->port());
    EXPECT_EQ(greeting(fourth), "hi");
}

TEST(ListenerTest, TakesNoNewConnectionsOnceStopped)
{
    Greeter greeter;
    Threads threads;
    auto listener = Listener::open("127.0.0.1:0", threads.all(), greeter, 10);
    (*listener)->start();
    const std::uint16_t port = (*listener)->port();
    asio::io_context io;
    tcp::socket before = client_of(io, port);
    EXPECT_EQ(greeting(before), "hi");
    (*listener)->stop();
    EXPECT_TRUE(comes_true([&] {
        tcp::socket after(io);
        boost::system::error_code error;
        after.connect(tcp::endpoint(asio::ip::address_v4::loopback(), port), error);
        return error == asio::error::connection_refused;
    }));
    EXPECT_TRUE(comes_true([&] { return (*listener)->connections() == 1; }));
    listener->reset();
    before.close();
}

// Makes the process run out of descriptors, for as long as it lives.
class NoDescriptors final {
public:
    NoDescriptors()
    {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        const int next = ::dup(0);
        ::close(next);
        rlimit tight = before_;
        tight.rlim_cur = static_cast<rlim_t>(next);
        ::setrlimit(RLIMIT_NOFILE, &tight);
        // A lower one may have been free again: accept() takes one even where nobody waits.
        for (int more = ::dup(0); more >= 0; more = ::dup(0))
            held_.push_back(more);
    }
    NoDescriptors(const NoDescriptors&) = delete;
    NoDescriptors& operator=(const NoDescriptors&) = delete;
    ~NoDescriptors()
    {
        ::setrlimit(RLIMIT_NOFILE, &before_);
        for (const int each : held_)
            ::close(each);
    }

private:
    rlimit before_{};
    std::vector<int> held_;
};

// Hears the log line about connections that cannot be taken.
class Complaint final : public spdlog::sinks::base_sink<std::mutex> {
public:
    std::atomic<bool> heard = false;

private:
    void sink_it_(const spdlog::details::log_msg& message) override
    {
        const std::string_view line(message.payload.data(), message.payload.size());
        if (line.starts_with("event=connections_refused"))
            heard = true;
    }
    void flush_() override {}
};

TEST(ListenerTest, GoesOnWhenThereAreDescriptorsAgain)
{
    // Before two threads log at once for the first time.
    const auto complaint = std::make_shared<Complaint>();
    spdlog::default_logger_raw()->sinks().push_back(complaint);
    Greeter greeter;
    Threads threads;
    auto listener = Listener::open("127.0.0.1:0", threads.all(), greeter, 10);
    (*listener)->start();
    asio::io_context io;
    tcp::socket first = client_of(io, (*listener)->port());
    EXPECT_EQ(greeting(first), "hi");
    tcp::socket waiting(io);
    waiting.open(tcp::v4());
    {
        const NoDescriptors none;
        waiting.connect(tcp::endpoint(asio::ip::address_v4::loopback(), (*listener)->port()));
        EXPECT_TRUE(comes_true([&] { return complaint->heard.load(); }));
    }
    EXPECT_EQ(greeting(waiting), "hi");
    EXPECT_EQ(greeter.by_thread().size(), 2U);
}

TEST(ListenerTest, SaysWhyAnAddressCannotBeUsed)
{
    Greeter greeter;
    Threads threads;
    for (const char* address :
         {"", "6432", "localhost:6432", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536",
          "127.0.0.1:64 32", "::1:6432", "[127.0.0.1]:1"}) {
        const auto listener = Listener::open(address, threads.all(), greeter, 10);
        ASSERT_FALSE(listener.has_value()) << address;
        EXPECT_NE(listener.error().detail.find(address), std::string::npos);
    }
    const auto first = Listener::open("127.0.0.1:0", threads.all(), greeter, 10);
    ASSERT_TRUE(first.has_value());
    const std::string taken = "127.0.0.1:" + std::to_string((*first)->port());
    const auto second = Listener::open(taken, threads.all(), greeter, 10);
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error().detail, "cannot listen on " + taken + ": Address already in use");
}

}  // namespace
}  // namespace sallyport::testing
