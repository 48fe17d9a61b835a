// Carries one PostgreSQL session between a client and its target, both past their logins.
//
// Two loops on one thread: from_client.cpp decides what the client asks and forwards it,
// from_target.cpp masks what the target answers and shows it. They meet in the Conversation. What
// they may write is bounded by permits: see TargetEnd and ClientEnd.

#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "gateway/edge/stream.h"
#include "gateway/session/session.h"
#include "protocols/postgres/catalogue_reader.h"
#include "protocols/postgres/conversation.h"
#include "protocols/postgres/copy_rewriter.h"
#include "protocols/postgres/detected_value.h"
#include "protocols/postgres/frame.h"
#include "protocols/postgres/inbox.h"
#include "protocols/postgres/outbox.h"
#include "protocols/postgres/own_relations.h"
#include "protocols/postgres/search_path.h"
#include "protocols/postgres/session_masks.h"
#include "protocols/postgres/sql_readings.h"
#include "protocols/postgres/statement.h"
#include "protocols/postgres/target_login.h"

namespace sallyport::postgres {

// The one way to the target once it is logged in: a permit is needed to take it.
class TargetEnd {
public:
    explicit TargetEnd(Stream& stream) : stream_(stream) {}

    // As Stream::write_now() and write().
    Result<bool> forward_now(ForwardPermit, const Outbox& messages, std::size_t& done)
    {
        return stream_.write_now(messages.pieces(), done);
    }

    boost::asio::awaitable<Result<void>> forward(ForwardPermit, const Outbox& messages,
                                                 std::size_t done)
    {
        return stream_.write(messages.pieces(), done);
    }

    void close() { stream_.close(); }

private:
    Stream& stream_;
};

// The one way to the client.
class ClientEnd {
public:
    explicit ClientEnd(Stream& stream) : stream_(stream) {}

    Result<bool> show_now(ShowPermit, const Outbox& messages, std::size_t& done)
    {
        return stream_.write_now(messages.pieces(), done);
    }

    boost::asio::awaitable<Result<void>> show(ShowPermit, const Outbox& messages, std::size_t done)
    {
        return stream_.write(messages.pieces(), done);
    }

private:
    Stream& stream_;
};

class Relay {
public:
    // What the sessions of one thread share for one connection. Everything outlives the relay.
    struct Shared {
        SqlReadings& readings;
        CatalogueSource& catalogue;
        DerivedColumns& derived;
        boost::asio::thread_pool& disk;  // where derived columns are written
    };

    // search_path: as the client asked for it at login. read_only: the target's session was opened
    // so, and stays so.
    Relay(Stream& client, TargetSession& target, Session& session, Shared shared,
          std::optional<std::vector<std::string>> search_path, bool read_only);
    Relay(const Relay&) = delete;
    Relay& operator=(const Relay&) = delete;

    // Runs until either end is done or end() was called; both streams are closed then, the client
    // has been told why where that is not its own doing, and the session's end is recorded.
    boost::asio::awaitable<void> run();

    // Ends the session: the client is told why, with severity FATAL. Same thread.
    void end(Error why);

    // Whether limits of the policy or the configuration now in force end the session; checked about
    // once a second by the service. Same thread.
    void check_limits();

    // Sends the target the cancel key of this session, on a connection of its own.
    void cancel();

private:
    void cancel_statement();

    // catalogue: names cannot be told without a new reading of it. remember: what the message
    // copies has to be kept before it is forwarded.
    enum class Next : std::uint8_t { more, settle_first, catalogue, remember, ended };

    // What became of a message of the target. catalogue_wanted: nothing was done with it; it is to
    // be given again with a catalogue read after it came.
    enum class Answered : std::uint8_t { done, catalogue_wanted };
    using CatalogueReading = std::shared_ptr<const Catalogue>;  // null: none was needed so far

    // Why a direction's turn ended. none: nothing is left to do, or it goes on at the next byte;
    // the others need a wait, which only the direction's coroutine can do.
    enum class Pause : std::uint8_t {
        none,
        forward,       // the target takes no more, or a record is not safe yet
        show,          // the same, towards the client
        settle_first,  // the next message needs every earlier one answered
        full,          // too many messages are unanswered
        catalogue,     // the next message needs the catalogue read anew
        remember,      // the next message needs to_remember_ kept
        client_left,
        ended,
    };

    // from_client.cpp
    boost::asio::awaitable<Result<void>> from_client();
    Result<Pause> client_turn();
    Result<Pause> take_messages();
    boost::asio::awaitable<Result<void>> forward();
    Result<bool> forward_now();  // false: forward() has to wait
    void forwarded_all();
    boost::asio::awaitable<Result<void>> settle();
    Result<Next> on_client_message(const Frame& frame);
    Result<Next> on_query(const Frame& frame);
    Result<Next> on_parse(const Frame& frame);
    Result<Next> on_bind(const Frame& frame);
    Result<Next> on_describe(const Frame& frame);
    Result<Next> on_execute(const Frame& frame);
    Result<Next> on_close(const Frame& frame);
    Result<Next> on_function_call(const Frame& frame);
    void on_copy_data(Bytes bytes);
    Result<Next> refuse_query(Error why);
    Result<Next> refuse_extended(Error why, bool unnamed_parse);
    Error malformed(std::string_view message);
    bool names_ready();
    bool wants_catalogue(const Sql& sql) const;
    bool has_to_remember(const Sql& sql);
    boost::asio::awaitable<void> read_catalogue();
    boost::asio::awaitable<Result<void>> remember();
    void begun(const Sql& sql);
    std::shared_ptr<const Sql> read(std::string_view text);
    std::shared_ptr<const Prepared> prepared_by_sql(const std::string& text);
    void pass_text(const Frame& frame, std::string_view text, const Sql& sql);
    std::shared_ptr<const Sql> with_parameters(std::shared_ptr<const Sql> sql,
                                               const std::vector<std::uint32_t>& types) const;
    std::shared_ptr<const Prepared> as_of_now(std::shared_ptr<const Prepared> prepared);
    std::shared_ptr<const Sql> with_prepared(std::shared_ptr<const Sql> sql);
    bool executes_uncertain(const Sql& sql) const;
    std::optional<Error> forbidden(const Sql& sql);
    std::shared_ptr<const Command> function_call(std::uint32_t oid);

    // from_target.cpp
    boost::asio::awaitable<Result<void>> from_target();
    Result<Pause> target_turn();
    // just_read: a catalogue read for the message that comes first; null else.
    Result<Pause> take_answers(const CatalogueReading& just_read = nullptr);
    void answered();
    Result<Answered> on_target_message(const Frame& frame, const CatalogueReading& just_read);
    boost::asio::awaitable<Result<void>> show();
    Result<bool> show_now();  // false: show() has to wait
    void shown_all();
    void pass(const Frame& frame, Step* step);
    void say(std::string_view message, Step* step);
    // The same for what is said to a person: recorded also where it answers no command, as an
    // error in Parse or a notice that nobody asked for.
    void pass_words(const Frame& frame, Step* step);
    void say_words(std::string_view message, Step* step);
    void attribute_run();
    void own(Step* step);
    // What is known of the values of a result: of a statement's own, or of what it runs.
    struct Known {
        std::shared_ptr<const Lineage> lineage;  // null: nothing
        bool untraced = false;                   // then a column without an origin may be anything
    };
    Known known_of(const Sql* sql, const Statement* statement);
    Result<std::shared_ptr<const ResultShape>> shape_of(Bytes row_description, const Known& known,
                                                        const CatalogueReading& just_read);
    Result<Answered> on_row_description(const Frame& frame, const CatalogueReading& just_read);
    Result<void> on_row(const Frame& frame);
    Result<Answered> on_copy_out(const Frame& frame);
    Result<void> on_copy_row(const Frame& frame);
    void on_error(const Frame& frame);
    bool may_quote_values(const Step* step);
    std::uint32_t type_shown(std::uint32_t type) const;
    Result<Answered> on_ready(const Frame& frame, const CatalogueReading& just_read);
    void on_notification(const Frame& frame);
    void on_parameter_status(const Frame& frame);
    void completed(const Step& step, const Statement& statement);
    void came_to_nothing(const Step& step);
    void copies_stay();
    void copies_are_gone();
    // Whether an error, a notice or a plan could quote a masked value; of one statement of the text
    // where it is known, else of any.
    bool touches_masked(const Sql* sql, const Statement* only);
    Result<void> count_rows(Step& step, std::uint64_t rows);

    // Rows are looked into: for masks of columns, or for what values look like.
    bool masked() const { return !session_.masks().hides_nothing(); }
    // Some masks name columns.
    bool hides_columns() const { return session_.masks().names_columns(); }

    Stream& client_stream_;
    Stream& target_stream_;
    TargetEnd target_;
    ClientEnd client_;
    Session& session_;
    const SecondNet net_;  // the session's
    SqlReadings& readings_;
    CatalogueSource& catalogue_source_;
    DerivedColumns& derived_;
    boost::asio::thread_pool& disk_;
    const CancelKey cancel_key_;

    Inbox client_in_;
    Inbox target_in_;
    Outbox to_target_;
    Outbox to_client_;
    Conversation conversation_;
    boost::asio::steady_timer settled_;  // never expires: cancelled when the conversation is empty
    boost::asio::steady_timer ended_;    // never expires: cancelled by end()
    std::optional<Error> end_reason_;

    // Of the client's stream.
    std::size_t client_wanted_ = 0;          // size of the message that is not whole yet
    std::uint64_t client_rest_ = 0;          // bytes still to come of a CopyData being passed on
    std::shared_ptr<const Command> opaque_;  // made when first needed: what "opaque" is allowed
    SessionPath path_;
    OwnRelations own_;
    // Texts as names mean now; of which catalogue and path.
    std::shared_ptr<SqlCache> sqls_;
    std::shared_ptr<const Catalogue> catalogue_;
    std::uint64_t path_version_ = 0;
    bool own_changed_ = false;
    bool just_read_ = false;  // the catalogue, for the message that comes next
    std::chrono::steady_clock::time_point no_catalogue_until_{};  // it could not be read
    std::vector<DerivedColumn> to_remember_;
    // What statements of the transaction that is open have copied, once they were answered.
    std::vector<Copies> copied_;
    Copies just_kept_;  // for the message that comes next
    const bool read_only_;
    bool touched_before_ = false;  // a statement mentioned what could be masked
    std::size_t forwarded_ = 0;    // bytes of to_target_ that have gone
    bool skipping_ = false;        // a message was refused: what follows up to Sync is dropped
    bool client_left_ = false;

    // Of the target's stream.
    std::size_t target_wanted_ = 0;  // size of the message that is not whole yet
    std::size_t target_taken_ = 0;   // bytes of target_in_ that are in to_client_ or recorded
    std::uint64_t target_rest_ = 0;  // bytes still to come of a message being passed on
    std::size_t shown_ = 0;          // bytes of to_client_ that have gone
    ResultShapes shapes_;
    Step* owner_ = nullptr;  // whose bytes the outbox's run are; valid within one batch
    std::optional<CopyRewriter> copy_rewriter_;
    SessionMasks masks_;
    // Cursors declared, and where the values of their rows come from.
    std::map<std::string, std::shared_ptr<const Lineage>, std::less<>> cursors_;
    bool failed_ = false;             // an error since the last transaction ended
    bool catalogue_touched_ = false;  // DDL ran in the transaction now open
    bool target_said_goodbye_ = false;
    bool showing_ = false;    // a write to the client is under way
    const bool replication_;  // the target is a walsender, not an ordinary backend
    bool standard_strings_ = true;
    bool utf8_ = true;
    std::chrono::steady_clock::time_point last_message_;
};

}  // namespace sallyport::postgres
