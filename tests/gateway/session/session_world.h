// A session engine with a small vocabulary, one user and one connection, over a MemoryJournal.

#pragma once

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <optional>
#include <string>

#include "gateway/identity/user_directory.h"
#include "gateway/policy/policy.h"
#include "gateway/session/gate.h"
#include "gateway/session/session.h"
#include "gateway/session/snapshot.h"
#include "tests/fakes/memory_journal.h"

namespace sallyport {

// Runs a coroutine to its end and gives its result.
template <class T>
T run(boost::asio::awaitable<T> task)
{
    boost::asio::io_context context;
    std::optional<T> result;
    auto wrapper = [](boost::asio::awaitable<T> inner,
                      std::optional<T>& into) -> boost::asio::awaitable<void> {
        into.emplace(co_await std::move(inner));
    };
    auto spawned = wrapper(std::move(task), result);
    boost::asio::co_spawn(context, std::move(spawned), boost::asio::detached);
    context.run();
    return std::move(*result);
}

struct SessionWorld {
    enum Class : std::uint8_t { look, change, obscure };

    explicit SessionWorld(Durability durability = Durability::standard, MaskAction action = {})
    {
        auto connection = std::make_shared<Connection>();
        connection->name = "db";
        connection->protocol = "test";
        connection->durability = durability;

        PolicyRule allow;
        allow.verdict = Verdict::allow;
        allow.facet = "sql";
        allow.classes = ClassSet::of(look) | ClassSet::of(change);
        PolicyRule deny;
        deny.verdict = Verdict::deny;
        deny.facet = "sql";
        deny.classes = ClassSet::of(change);
        deny.objects = {"public.keep"};
        deny.reason = "kept for ever";
        PolicyRule hold = deny;
        hold.verdict = Verdict::hold;
        hold.objects = {"public.ask"};
        hold.reason = "ask first";
        auto policy = std::make_shared<PolicyEntry>();
        policy->name = "p";
        policy->users = {"alice"};
        policy->connections = {"d*"};
        policy->rules = {allow, deny, hold};
        MaskRules::Rule mask;
        mask.columns = {"users.email"};
        mask.action = std::move(action);
        policy->masks = {mask};
        policy->untraceable = untraceable;

        LocalUser alice;
        alice.name = "alice";
        alice.tokens = {sha256(bytes_of("token"))};
        LocalUser eve = alice;
        eve.name = "eve";
        auto snapshot = std::make_shared<Snapshot>();
        snapshot->users = std::make_shared<const UserDirectory>(std::vector<LocalUser>{alice, eve},
                                                                std::string(32, 'd'));
        snapshot->connections.emplace("db", connection);
        auto key = std::make_shared<MaskKey>();
        key->bytes.assign(32, 'k');
        snapshot->policies = std::make_shared<const PolicySet>(
            std::vector<std::shared_ptr<const PolicyEntry>>{policy}, "sha256:p", key);
        snapshots = std::make_unique<SnapshotSource>(snapshot);
        gate = std::make_unique<Gate>(*snapshots, journal);
    }

    Result<std::unique_ptr<Session>> open(const std::string& user = "alice",
                                          const std::string& connection = "db")
    {
        auto proved = gate->prove_by_token(user, Secret("token"));
        return run(gate->admit(Presented{*proved, connection, "test", "a test", Peer{}}));
    }

    static std::shared_ptr<const Command> command(Class action_class, std::string object = {},
                                                  std::string text = "do it")
    {
        static constexpr std::array<std::string_view, 3> classes{"look", "change", "obscure"};
        static const Vocabulary vocabulary{"sql", classes, {}, ClassSet::of(look)};
        auto made = std::make_shared<Command>();
        made->vocabulary = &vocabulary;
        made->text = std::move(text);
        made->shared_actions = std::make_shared<const Actions>(
            Actions{{action_class, std::move(object), "the cause"}});
        return made;
    }

    MaskRules::Untraceable untraceable = MaskRules::Untraceable::mask;
    MemoryJournal journal;
    std::unique_ptr<SnapshotSource> snapshots;
    std::unique_ptr<Gate> gate;
};

}  // namespace sallyport
