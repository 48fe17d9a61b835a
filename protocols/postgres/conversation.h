// Which answer belongs to which message.
//
// The client's messages become Steps when they are forwarded, in order; the target's answers take
// them off again. Both sides may be thousands of messages apart (pipelining). Transaction, portal
// and pipeline state are the server's own: nothing here emulates them, it only follows
// (PostgreSQL documentation, "Message Flow").

#pragma once

#include <boost/container/deque.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/session/exchange.h"
#include "protocols/postgres/result_shape.h"
#include "protocols/postgres/statement.h"

namespace sallyport::postgres {

// For queues of messages under way: one allocation for each would show in a point query.
using BlocksOfAFew = boost::container::deque_options_t<boost::container::block_size<8>>;

// A statement the client has prepared.
struct Prepared {
    std::shared_ptr<const Sql> sql;
    std::vector<std::uint32_t> parameter_types;  // OIDs as given in Parse
    std::string description;  // the RowDescription of a Describe of the statement, for the record
};

// A portal bound by the client: what it runs, with which parameters, and what its result looks like
// once the target has described it.
struct Portal {
    std::shared_ptr<const Prepared> prepared;  // its sql is never null
    std::string parameters;                    // as recorded: see parameters.h
    std::vector<std::uint16_t> result_formats;
    std::string description;                   // as recorded where only the statement was described
    std::shared_ptr<const ResultShape> shape;  // null until described; masked sessions only
    bool describe_asked = false;

    const std::shared_ptr<const Sql>& sql() const { return prepared->sql; }
};

enum class StepKind : std::uint8_t {
    query,  // Query: ends with ReadyForQuery
    parse,
    bind,
    describe_statement,
    describe_portal,
    execute,
    close,
    sync,           // ends with ReadyForQuery
    function_call,  // ends with ReadyForQuery
};

// What a step copies where, as DerivedColumns has kept it; null: nothing.
using Copies = std::shared_ptr<const std::vector<DerivedColumn>>;

struct Step {
    StepKind kind = StepKind::sync;
    bool hidden = false;           // the gateway's own message: its answer is not shown
    bool before_data = false;      // a Sync that a COPY begun before it would swallow
    bool changes_reading = false;  // may change standard_conforming_strings or client_encoding
    bool names_statement = false;  // close: a statement, not a portal
    std::string name;              // of the statement or portal
    std::shared_ptr<const Sql> sql;
    std::shared_ptr<Prepared> prepared;  // parse and describe_statement
    std::shared_ptr<Portal> portal;
    std::optional<Exchange> exchange;
    // What it copies, where that was not known before.
    Copies copies;
    std::unique_ptr<Error> refusal;  // stands for a refused message: it fails, with these words

    // Filled by the answers.
    std::size_t results = 0;                   // query: statements that have completed
    std::shared_ptr<const ResultShape> shape;  // query: of the result under way
    Outcome outcome;
    bool failed = false;
    bool copying_in = false;
    bool copying_out = false;
    bool described = false;  // execute: its record has a description of the rows
};

// Names of prepared statements or portals, as the server will have them once every message under
// way has been answered. A name whose meaning depends on an answer that is still to come is
// uncertain: the relay then waits for it. T is a shared_ptr; a null one means no meaning.
template <class T>
class Names {
public:
    // A message that would give the name this meaning is under way.
    void promise(const std::string& name, T meaning)
    {
        Meanings& meanings = name.empty() ? unnamed_ : named_[name];
        meanings.promised.push_back(std::move(meaning));
    }

    // The answer came: kept says whether the server took it. A null meaning takes the name away.
    void settle(const std::string& name, bool kept)
    {
        Meanings* const meanings = of(name);
        if (meanings == nullptr || meanings->promised.empty())
            return;
        if (kept)
            meanings->settled = std::move(meanings->promised.front());
        meanings->promised.pop_front();
        forget_if_empty(name);
    }

    void set(const std::string& name, T meaning)
    {
        (name.empty() ? unnamed_ : named_[name]).settled = std::move(meaning);
    }

    void erase(const std::string& name)
    {
        if (Meanings* const meanings = of(name); meanings != nullptr) {
            meanings->settled = nullptr;
            forget_if_empty(name);
        }
    }

    // Takes every settled meaning away.
    void clear()
    {
        unnamed_.settled = nullptr;
        for (auto& [name, meanings] : named_)
            meanings.settled = nullptr;
        std::erase_if(named_, [](const auto& entry) { return entry.second.promised.empty(); });
    }

    // Whether find() could be wrong. The unnamed one is replaced by every message that names it,
    // and is gone where that failed, so its newest meaning is the only possible one.
    bool uncertain(const std::string& name) const
    {
        if (name.empty())
            return false;
        const auto found = named_.find(name);
        if (found == named_.end() || found->second.promised.empty())
            return false;
        return found->second.promised.size() > 1 || found->second.settled != nullptr;
    }

    // Null where nobody has given the name a meaning.
    T find(const std::string& name) const
    {
        const auto newest = [](const Meanings& meanings) {
            return meanings.promised.empty() ? meanings.settled : meanings.promised.back();
        };
        if (name.empty())
            return newest(unnamed_);
        const auto found = named_.find(name);
        return found == named_.end() ? T() : newest(found->second);
    }

private:
    struct Meanings {
        T settled;
        boost::container::deque<T, void, BlocksOfAFew> promised;  // in the order of the messages
    };

    Meanings* of(const std::string& name)
    {
        if (name.empty())
            return &unnamed_;
        const auto found = named_.find(name);
        return found == named_.end() ? nullptr : &found->second;
    }

    void forget_if_empty(const std::string& name)
    {
        const auto found = name.empty() ? named_.end() : named_.find(name);
        if (found != named_.end() && found->second.settled == nullptr &&
            found->second.promised.empty())
            named_.erase(found);
    }

    Meanings unnamed_;  // apart from the rest: most drivers use no other
    std::map<std::string, Meanings> named_;
};

class Conversation {
public:
    void push(Step&& step);

    // Null where the target speaks unasked.
    Step* front() { return steps_.empty() ? nullptr : &steps_.front(); }
    // The one behind it; null where there is none.
    Step* second() { return steps_.size() < 2 ? nullptr : &steps_[1]; }
    bool empty() const { return steps_.empty(); }
    std::size_t size() const { return steps_.size(); }

    // The step whose COPY data or input the client is sending: the newest with an exchange.
    Step* newest_exchange();

    // The client has sent COPY data, CopyDone or CopyFail: a Sync from now on is no longer
    // swallowed.
    void data_sent() { data_sent_ = true; }

    // The front step was answered to its end. kept: the server did what it asked.
    void pop(bool kept);

    // The server reported an error in an extended-protocol message: everything up to the next Sync
    // that it has not read is skipped. Gives what the skipped steps would have copied.
    std::vector<Copies> skip_to_sync();

    // A COPY that the front step began has ended: Syncs it swallowed are answered by nothing.
    void drop_swallowed_syncs();

    bool reading_may_change() const { return reading_changes_ > 0; }

    Names<std::shared_ptr<Prepared>> statements;
    Names<std::shared_ptr<Portal>> portals;

private:
    void settle(const Step& step, bool kept);

    boost::container::deque<Step, void, BlocksOfAFew> steps_;
    bool data_sent_ = false;
    bool skipping_ = false;  // the server ignores what comes until a Sync that is still to be sent
    int reading_changes_ = 0;
};

}  // namespace sallyport::postgres
