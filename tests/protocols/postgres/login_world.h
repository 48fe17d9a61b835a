// A gate with users, connections and a journal in memory, and clients that log in through a real
// socket.

#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "audit/trail/journal.h"
#include "gateway/digest/digest.h"
#include "gateway/edge/own_ca.h"
#include "gateway/policy/policy.h"
#include "gateway/session/gate.h"
#include "gateway/session/snapshot.h"
#include "protocols/postgres/client_login.h"
#include "protocols/postgres/scram_client.h"
#include "tests/protocols/postgres/loopback.h"

namespace sallyport::postgres {

class MemoryJournal final : public Journal {
public:
    struct Entry {
        EventKind kind;
        std::string text;
    };

    Result<Position> append(const Event& event) override
    {
        if (disk_full)
            return failure(Fault::unrecorded, "the disk is full");
        entries.push_back({event.kind, std::string(event.text)});
        return Position(entries.size());
    }
    Result<void> admits() const override
    {
        if (store_down)
            return failure(Fault::unavailable, "the store has been away for too long");
        return {};
    }
    boost::asio::awaitable<Result<void>> synced(Position) override { co_return Result<void>(); }
    boost::asio::awaitable<Result<void>> committed(Position) override { co_return Result<void>(); }

    std::vector<std::string> texts(EventKind kind) const
    {
        std::vector<std::string> found;
        for (const Entry& entry : entries) {
            if (entry.kind == kind)
                found.push_back(entry.text);
        }
        return found;
    }

    std::vector<Entry> entries;
    bool disk_full = false;
    bool store_down = false;
};

// A folder that goes with the test.
class Folder {
public:
    Folder()
    {
        std::string pattern = (std::filesystem::temp_directory_path() / "login-XXXXXX").string();
        EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
        path_ = pattern;
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { std::filesystem::remove_all(path_); }

    std::string file(const std::string& name) const { return (path_ / name).string(); }
    std::string path() const { return path_.string(); }

    std::string write(const std::string& name, std::string_view content) const
    {
        std::ofstream(file(name)) << content;
        return file(name);
    }

private:
    std::filesystem::path path_;
};

// alice and bob have passwords, carol and gone-by have tokens, dora has nothing, erik is disabled.
// Everybody may use "featurestore", nobody "other".
class LoginWorld {
public:
    struct Outcome {
        Result<void> result = {};
        bool logged_in = false;
        std::string user;
        std::string proof;
        std::string application_name;
        std::map<std::string, std::string> parameters;
        std::optional<CancelRequest> cancel;
    };

    LoginWorld() : gate(source_, journal)
    {
        auto made = own_certificates(folder.path(), {});
        EXPECT_TRUE(made) << made.error().detail;
        auto tls =
            ServerTls::load(made->certificate_file, made->key_file, made->ca_file, "postgresql");
        EXPECT_TRUE(tls) << tls.error().detail;
        settings.tls = std::make_shared<const ServerTls>(std::move(*tls));
        settings.deadline = std::chrono::seconds(20);
    }

    // Serves one client, which follows its script on a thread of its own.
    Outcome serve(const std::function<void(Wire&)>& script)
    {
        namespace asio = boost::asio;
        asio::io_context io;
        asio::ip::tcp::acceptor acceptor(io, {asio::ip::address_v4::loopback(), 0});
        const std::uint16_t port = acceptor.local_endpoint().port();
        std::thread client([&script, port] {
            const int descriptor = ::socket(AF_INET, SOCK_STREAM, 0);
            const sockaddr_in address = loopback_address(port);
            EXPECT_EQ(
                ::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address),
                0);
            Wire wire(descriptor);
            script(wire);
        });
        Outcome outcome;
        {
            Stream stream(acceptor.accept());
            auto login = run(io, log_in_client(stream, gate, settings));
            if (!login) {
                outcome.result = tl::unexpected(login.error());
            } else if (auto* cancel = std::get_if<CancelRequest>(&*login)) {
                outcome.cancel = std::move(*cancel);
            } else {
                auto& in = std::get<LoggedIn>(*login);
                outcome.logged_in = true;
                outcome.user = in.session->who().name;
                outcome.proof = in.session->who().proof;
                outcome.parameters = in.parameters;
                outcome.application_name = in.application_name;
            }
        }
        client.join();
        return outcome;
    }

    std::vector<std::string> refusals() const { return journal.texts(EventKind::login_refused); }
    std::vector<std::string> openings() const { return journal.texts(EventKind::session_opened); }

    Folder folder;
    MemoryJournal journal;
    LoginSettings settings;

private:
    static std::shared_ptr<const Snapshot> snapshot()
    {
        const auto verifier = [](const char* password) {
            return make_scram_verifier(Secret(password));
        };
        const auto token = [](const char* text) { return sha256(bytes_of(text)); };
        std::vector<LocalUser> users(5);
        users[0] = {.name = "alice",
                    .groups = {},
                    .password = verifier("wonder land"),
                    .tokens = {token("both")},
                    .ssh_keys = {}};
        users[1] = {.name = "bob",
                    .groups = {},
                    .password = verifier("p\xc3\xa4sswort"),
                    .tokens = {},
                    .ssh_keys = {}};
        users[2] = {.name = "carol",
                    .groups = {},
                    .password = {},
                    .tokens = {token("carols token")},
                    .ssh_keys = {}};
        users[3] = {.name = "dora", .groups = {}, .password = {}, .tokens = {}, .ssh_keys = {}};
        users[4] = {.name = "erik",
                    .groups = {},
                    .password = verifier("was once"),
                    .tokens = {},
                    .ssh_keys = {},
                    .disabled = true};

        auto made = std::make_shared<Snapshot>();
        made->users = std::make_shared<UserDirectory>(std::move(users), std::string(32, 'k'));
        for (const char* name : {"featurestore", "replica", "other"}) {
            auto connection = std::make_shared<Connection>();
            connection->name = name;
            connection->protocol = "postgres";
            connection->allow_replication = connection->name == "replica";
            made->connections.emplace(name, std::move(connection));
        }
        auto everybody = std::make_shared<PolicyEntry>();
        everybody->name = "everybody";
        everybody->users = {"*"};
        everybody->connections = {"featurestore", "replica"};
        made->policies = std::make_shared<PolicySet>(
            std::vector<std::shared_ptr<const PolicyEntry>>{everybody}, "sha256:test", nullptr);
        made->hash = "sha256:test";
        return made;
    }

    SnapshotSource source_{snapshot()};

public:
    Gate gate;
};

inline std::string startup_packet(const std::string& user, const std::string& more = {},
                                  const std::string& database = "featurestore",
                                  std::uint32_t version = 3U << 16)
{
    return packet(be32(version) + "user" + '\0' + user + '\0' + "database" + '\0' + database +
                  '\0' + more + '\0');
}

// The rest of a SCRAM login behind the startup packet; the last message that came: SASLFinal's, or
// an error.
inline std::string prove(Wire& wire, const std::string& password,
                         std::optional<std::string> binding = std::nullopt, bool plus = true)
{
    const std::string offer = wire.read_message();
    EXPECT_EQ(offer.substr(0, 1), "R") << offer;
    if (!offer.starts_with("R"))
        return offer;
    const Secret secret(password);
    ScramClient scram(secret, std::move(binding), plus);
    const std::string first = scram.first();
    wire.send(message('p', std::string(scram.mechanism()) + '\0' +
                               be32(static_cast<std::uint32_t>(first.size())) + first));
    const std::string server_first = wire.read_message();
    if (!server_first.starts_with("R"))
        return server_first;
    const auto final = scram.final(std::string_view(server_first).substr(9));
    EXPECT_TRUE(final) << final.error().detail;
    wire.send(message('p', *final));
    const std::string server_final = wire.read_message();
    if (server_final.starts_with("R")) {
        EXPECT_TRUE(scram.verify(std::string_view(server_final).substr(9)));
    }
    return server_final;
}

}  // namespace sallyport::postgres
