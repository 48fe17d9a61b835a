#include "protocols/postgres/catalogue_reader.h"

#include <algorithm>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <map>
#include <optional>
#include <spdlog/spdlog.h>
#include <utility>
#include <vector>

#include "gateway/digest/digest.h"
#include "gateway/edge/raceable.h"
#include "protocols/postgres/catalogue_queries.h"
#include "protocols/postgres/catalogue_text.h"
#include "protocols/postgres/frame.h"
#include "protocols/postgres/inbox.h"
#include "protocols/postgres/message.h"
#include "protocols/postgres/target_login.h"

namespace sallyport::postgres {

namespace asio = boost::asio;
using asio::awaitable;
using namespace asio::experimental::awaitable_operators;
using Clock = std::chrono::steady_clock;

namespace {

constexpr std::chrono::seconds login_deadline{10};
constexpr std::chrono::seconds reading_deadline{45};
constexpr std::chrono::seconds shortest_age{1};
constexpr std::chrono::seconds renewed_after{5};
constexpr int renewed_after_readings = 20;  // that one takes a twentieth of the time at most
constexpr std::chrono::minutes longest_age_unreadable{5};
constexpr std::chrono::seconds save_interval{60};
constexpr int attempts = 3;
constexpr std::uint64_t message_limit = std::uint64_t{64} << 20;
constexpr std::size_t reading_limit = std::size_t{256} << 20;

// What a target said to one query.
struct Answer {
    std::vector<std::string> results;  // of each set of rows the DataRows, whole messages
    std::string problem;               // empty: none
};

// What it said to all of them.
struct Reading {
    std::vector<std::string> results;
    bool whole = true;  // false where definitions had to be left out
};

// Sends all the texts, then reads all the answers.
awaitable<Result<std::vector<Answer>>> ask(Stream& stream, Inbox& inbox,
                                           const std::vector<const std::string*>& texts)
{
    std::string messages;
    for (const std::string* text : texts)
        MessageWriter(messages).begin('Q').text(*text).end();
    CO_TRY_DONE(co_await stream.write(bytes_of(messages)));
    std::vector<Answer> answers(texts.size());
    std::size_t size = 0;
    for (std::size_t at = 0; at < answers.size();) {
        Answer& answer = answers[at];
        CO_TRY(frame, next_frame(inbox.unread(), message_limit));
        if (!frame) {
            CO_TRY_DONE(co_await inbox.fill());
            continue;
        }
        size += frame->whole.size();
        if (size > reading_limit)
            co_return failure(Fault::limit, "the target's catalogue is too large");
        if (frame->type == 'T') {
            answer.results.emplace_back();
        } else if (frame->type == 'D') {
            if (answer.results.empty())
                co_return failure(Fault::malformed, "the target sent a row that nothing announced");
            answer.results.back().append(text_of(frame->whole));
        } else if (frame->type == 'E') {
            const auto diagnostic = read_diagnostic(frame->body);
            answer.problem =
                diagnostic ? printable(diagnostic->field('M')) : std::string("unreadable error");
        } else if (frame->type == 'Z') {
            ++at;
        }
        inbox.consume(frame->whole.size());
    }
    co_return answers;
}

tl::unexpected<Error> unreadable(const std::string& problem)
{
    return failure(Fault::unavailable, "the target's catalogue could not be read: " + problem);
}

// Something that is dropped or locked while it is read spoils an answer: those are asked for again,
// in the end without definitions.
awaitable<Result<Reading>> ask_everything(Stream& stream, Inbox& inbox)
{
    const auto queries = catalogue_queries();
    std::vector<Answer> answers(queries.size());
    std::vector<std::size_t> missing(queries.size());
    for (std::size_t i = 0; i < missing.size(); ++i)
        missing[i] = i;
    Reading reading;
    for (int attempt = 0; !missing.empty(); ++attempt) {
        const bool last = attempt == attempts;
        std::vector<const std::string*> texts;
        for (const std::size_t i : missing) {
            if (attempt > 0 && (i == 0 || (last && queries[i].without_definitions.empty())))
                co_return unreadable(answers[i].problem);
            texts.push_back(last ? &queries[i].without_definitions : &queries[i].text);
        }
        if (attempt > attempts)
            co_return unreadable(answers[missing.front()].problem);
        reading.whole = reading.whole && !last;
        CO_TRY(given, co_await ask(stream, inbox, texts));
        std::vector<std::size_t> still_missing;
        for (std::size_t i = 0; i < given.size(); ++i) {
            answers[missing[i]] = std::move(given[i]);
            const Answer& answer = answers[missing[i]];
            if (!answer.problem.empty())
                still_missing.push_back(missing[i]);
            else if (answer.results.size() != queries[missing[i]].results)
                co_return failure(Fault::malformed, "the target left out an answer");
        }
        missing = std::move(still_missing);
    }
    for (Answer& answer : answers)
        for (std::string& rows : answer.results)
            reading.results.push_back(std::move(rows));
    co_return reading;
}

awaitable<Result<Reading>> read_target(const Target& target)
{
    const std::map<std::string, std::string> startup = {{"application_name", "sallyport/catalogue"},
                                                        {"default_transaction_read_only", "on"}};
    auto login = co_await log_in_to_target(target, startup, login_deadline);
    if (!login)
        co_return tl::unexpected(std::move(login).error());
    Stream& stream = login->stream;
    Inbox inbox(stream, login->unread);
    CO_TRY(reading, co_await ask_everything(stream, inbox));
    std::string terminate;
    MessageWriter(terminate).begin('X').end();
    CO_TRY_DONE(co_await stream.write(bytes_of(terminate)));
    stream.close();
    co_return std::move(reading);
}

awaitable<void> wait_for(std::chrono::milliseconds duration)
{
    asio::steady_timer timer(co_await asio::this_coro::executor, duration);
    (void)co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
}

Sha256 digest_of(const Reading& reading)
{
    RunningSha256 digest;
    for (const std::string& rows : reading.results) {
        const std::size_t size = rows.size();
        digest.add(std::as_bytes(std::span(&size, 1)));
        digest.add(bytes_of(rows));
    }
    return digest.finish();
}

Result<CatalogueDraft> draft_of(const Reading& reading)
{
    CatalogueDraft draft;
    CatalogueDraft::Row row;
    for (std::size_t result = 0; result < reading.results.size(); ++result) {
        Bytes rest = bytes_of(reading.results[result]);
        while (!rest.empty()) {
            TRY(frame, next_frame(rest, message_limit));
            if (!frame)
                break;
            BodyReader reader(frame->body);
            row.clear();
            for (std::uint16_t left = reader.u16(); left > 0; --left) {
                const std::uint32_t length = reader.u32();
                if (length == 0xffffffffU)
                    row.emplace_back();
                else
                    row.emplace_back(text_of(reader.bytes(length)));
            }
            if (reader.failed())
                return failure(Fault::malformed, "the target sent a broken row");
            draft.take(result, row);
            rest = rest.subspan(frame->whole.size());
        }
    }
    return draft;
}

}  // namespace

struct CatalogueSource::State {
    // A reading under way. Others wait on the timer, which is cancelled when it ends.
    struct UnderWay {
        asio::steady_timer end;
        std::optional<Error> problem;
        bool ended = false;
    };
    // What changed through this gateway.
    struct Passed {
        std::uint64_t ddl = 0;
        std::uint64_t derived = 0;

        bool operator==(const Passed&) const = default;
        bool covers(const Passed& other) const
        {
            return ddl >= other.ddl && derived >= other.derived;
        }
    };

    std::shared_ptr<const Connection> connection;
    std::shared_ptr<CatalogueChanges> changes;
    std::shared_ptr<DerivedColumns> derived;
    std::unique_ptr<CatalogueFile> file;
    std::optional<asio::any_io_executor> executor;

    std::shared_ptr<const Catalogue> newest;
    Passed newest_knows;
    Sha256 digest{};
    Clock::time_point began;  // the newest reading
    Clock::time_point tried;  // when the last attempt ended
    Clock::duration took{};
    bool whole = true;
    bool failed = false;  // the last attempt
    std::shared_ptr<UnderWay> under_way;
    bool saved = true;
    std::optional<Clock::time_point> saved_at;

    Passed passed() const
    {
        return {changes->count.load(), derived == nullptr ? 0 : derived->version()};
    }

    Clock::duration age() const { return Clock::now() - began; }

    // When a reading is to be renewed. Something locked when it was read is soon free.
    Clock::duration renewal() const
    {
        const Clock::duration least = whole ? renewed_after : shortest_age;
        return std::max(least, took * renewed_after_readings);
    }

    // A renewal that is under way ends within this; an older reading is one that nobody renewed.
    Clock::duration longest_age() const
    {
        return std::max<Clock::duration>(renewal(), renewed_after) + shortest_age + 2 * took;
    }

    bool usable() const
    {
        return newest != nullptr && newest_knows == passed() &&
               age() <= (failed ? Clock::duration(longest_age_unreadable) : longest_age());
    }

    std::shared_ptr<UnderWay> begin();
    static awaitable<void> run(std::shared_ptr<State> state, std::shared_ptr<UnderWay> reading);
    awaitable<Result<void>> read_once();
    Result<void> take(const Reading& reading, std::uint64_t ddl);
    void renew(CatalogueParts parts, std::uint64_t ddl);
    void save();
};

std::shared_ptr<CatalogueSource::State::UnderWay> CatalogueSource::State::begin()
{
    under_way = std::make_shared<UnderWay>(
        UnderWay{asio::steady_timer(*executor, Clock::time_point::max()), {}, false});
    return under_way;
}

// Ends the reading whatever becomes of it.
awaitable<void> CatalogueSource::State::run(std::shared_ptr<State> state,
                                            std::shared_ptr<UnderWay> reading)
{
    struct End {
        State& state;
        UnderWay& reading;
        ~End()
        {
            state.tried = Clock::now();
            state.failed = !reading.ended || reading.problem.has_value();
            if (!reading.ended)
                reading.problem = Error{Fault::unavailable, "the reading was broken off"};
            reading.ended = true;
            state.under_way = nullptr;
            reading.end.cancel();
        }
    };
    const End end{*state, *reading};
    auto race = raceable(state->read_once()) || wait_for(reading_deadline);
    auto winner = co_await std::move(race);
    if (winner.index() != 0)
        reading->problem = Error{Fault::unavailable, "the target's catalogue took too long"};
    else if (auto& result = *std::get<0>(winner); !result)
        reading->problem = std::move(result).error();
    reading->ended = true;
    if (reading->problem && !state->failed)
        spdlog::warn("connection={} event=catalogue_unread reason={}", state->connection->name,
                     in_quotes(reading->problem->detail));
}

awaitable<Result<void>> CatalogueSource::State::read_once()
{
    // Counted before reading: what passes meanwhile makes this reading stale.
    const std::uint64_t ddl = changes->count.load();
    const auto start = Clock::now();
    CO_TRY(reading, co_await read_target(connection->target));
    CO_TRY_DONE(take(reading, ddl));
    began = start;
    took = Clock::now() - start;
    save();
    co_return Result<void>();
}

// Where nothing has changed the catalogue stays the object it was, so that what others keep for it
// stays good.
Result<void> CatalogueSource::State::take(const Reading& reading, std::uint64_t ddl)
{
    const Sha256 found = digest_of(reading);
    if (newest != nullptr && found == digest && newest_knows.derived == passed().derived) {
        newest_knows.ddl = ddl;
        return {};
    }
    TRY(draft, draft_of(reading));
    whole = reading.whole && draft.complete();
    digest = found;
    renew(draft.finish(), ddl);
    return {};
}

void CatalogueSource::State::renew(CatalogueParts parts, std::uint64_t ddl)
{
    Passed knows{ddl, 0};
    if (derived != nullptr) {
        derived->bind(parts);
        // Counted before it is asked: what is copied meanwhile makes this one stale.
        knows.derived = derived->version();
    }
    newest = std::make_shared<const Catalogue>(std::move(parts), derived.get());
    newest_knows = knows;
    saved = false;
}

void CatalogueSource::State::save()
{
    if (file == nullptr || saved || (saved_at && Clock::now() - *saved_at < save_interval))
        return;
    saved = file->save(newest);
    if (saved)
        saved_at = Clock::now();
}

CatalogueSource::CatalogueSource(std::shared_ptr<const Connection> connection,
                                 std::shared_ptr<CatalogueChanges> changes,
                                 std::shared_ptr<DerivedColumns> derived, std::string snapshot_file)
    : changes_(std::move(changes)), state_(std::make_shared<State>())
{
    state_->connection = std::move(connection);
    state_->changes = changes_;
    state_->derived = std::move(derived);
    if (!snapshot_file.empty())
        state_->file = std::make_unique<CatalogueFile>(std::move(snapshot_file));
}

std::shared_ptr<const Catalogue> CatalogueSource::current() const
{
    return state_->usable() ? state_->newest : nullptr;
}

std::shared_ptr<const Catalogue> CatalogueSource::last() const
{
    return state_->newest;
}

bool CatalogueSource::ageing() const
{
    const State& state = *state_;
    if (state.newest == nullptr || state.under_way != nullptr)
        return false;
    return Clock::now() - std::max(state.began, state.tried) > state.renewal();
}

void CatalogueSource::refresh()
{
    if (!state_->executor || state_->under_way != nullptr)
        return;
    asio::co_spawn(*state_->executor, State::run(state_, state_->begin()), asio::detached);
}

awaitable<Result<std::shared_ptr<const Catalogue>>> CatalogueSource::read()
{
    const auto state = state_;  // this can be gone before the reading ends
    const State::Passed wanted = state->passed();
    state->executor = co_await asio::this_coro::executor;
    if (state->newest != nullptr && state->newest_knows.ddl == wanted.ddl &&
        state->age() < shortest_age) {
        // Copying changes no more than places.
        if (state->newest_knows.derived != wanted.derived)
            state->renew(state->newest->parts(), wanted.ddl);
        co_return state->newest;
    }
    for (bool waited = false;; waited = true) {
        if (waited && state->newest != nullptr && state->newest_knows.covers(wanted))
            co_return state->newest;
        // It can end before co_spawn() returns.
        auto reading = state->under_way;
        if (reading == nullptr) {
            reading = state->begin();
            asio::co_spawn(*state->executor, State::run(state, reading), asio::detached);
        }
        while (!reading->ended)
            (void)co_await reading->end.async_wait(asio::as_tuple(asio::use_awaitable));
        if (reading->problem) {
            if (state->usable())
                co_return state->newest;
            co_return tl::unexpected(*reading->problem);
        }
    }
}

}  // namespace sallyport::postgres
