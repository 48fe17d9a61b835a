#include "protocols/postgres/lineage_memory.h"

#include <algorithm>
#include <limits>

namespace sallyport::postgres {

namespace {

// What is behind more functions, triggers and views than these is not traced: each may take as much
// stack as a deep statement.
constexpr int deepest_chain = 16;

// Of flows and outputs.
constexpr std::size_t most_kept = 1'000'000;

// A circle adds to itself once or twice, however long it is.
constexpr int most_rounds = 32;

constexpr int none = std::numeric_limits<int>::max();

const Lineage& anything()
{
    static const Lineage lineage = [] {
        Lineage made;
        add(made.values, untraced());
        add(made.sunk, untraced());
        made.sink = "more functions, views and triggers than are followed";
        return made;
    }();
    return lineage;
}

bool grow(Sources& into, const Sources& more)
{
    const std::size_t before = into.size();
    add(into, more);
    return into.size() != before;
}

// True where something was added.
bool grow(Lineage& into, Lineage more)
{
    bool grew = into.flows.add(more.flows);
    if (into.outputs.size() == more.outputs.size()) {
        for (std::size_t i = 0; i < more.outputs.size(); ++i) {
            grew = grow(into.outputs[i].sources, more.outputs[i].sources) || grew;
            into.outputs[i].plain = into.outputs[i].plain && more.outputs[i].plain;
        }
    } else {
        grew = true;
        into.exact = false;
    }
    grew = grow(into.values, more.values) || grew;
    grew = grow(into.conditions, more.conditions) || grew;
    grew = grow(into.unused, more.unused) || grew;
    grew = grow(into.assigned, more.assigned) || grew;
    grew = grow(into.sunk, more.sunk) || grew;
    if (!more.sink.empty())
        into.sink = std::move(more.sink);
    into.unknown_names = into.unknown_names || more.unknown_names;
    const std::size_t written_before = into.written.size();
    into.written.insert(into.written.end(), more.written.begin(), more.written.end());
    sort_unique(into.written);
    grew = grew || into.written.size() != written_before;
    into.made = std::move(more.made);
    return grew;
}

}  // namespace

const Lineage& LineageMemory::of(const Mark& mark, const std::function<Lineage()>& read)
{
    if (const auto known = kept_.find(mark); known != kept_.end()) {
        const Kept& kept = known->second;
        if (kept.settled)
            return kept.lineage;
        if (kept.depth >= 0 || kept.round == round_) {
            met_ = std::min(met_, kept.depth >= 0 ? kept.depth : kept.rests_on);
            return kept.lineage;
        }
    }
    if (depth_ >= deepest_chain || size_ > most_kept)
        return anything();
    Kept& kept = kept_[mark];
    const int met_before = depth_ == 0 ? none : met_;
    const std::size_t first = unsettled_.size();
    kept.depth = depth_++;
    read_through(kept, read);
    --depth_;
    if (met_ >= kept.depth) {
        kept.settled = true;
        settle(first);
        met_ = met_before;
    } else {
        unsettled_.push_back(&kept);
        for (std::size_t i = first; i < unsettled_.size(); ++i)
            unsettled_[i]->rests_on = std::min(unsettled_[i]->rests_on, met_);
        met_ = std::min(met_before, met_);
    }
    kept.depth = -1;
    size_ += kept.lineage.flows.size() + kept.lineage.outputs.size();
    return kept.lineage;
}

// Once, or as often as a circle that leads back here adds something.
void LineageMemory::read_through(Kept& kept, const std::function<Lineage()>& read)
{
    for (int round = 0;; ++round) {
        met_ = none;
        const std::size_t grown_before = grown_;
        if (kept.round < 0) {
            kept.lineage = read();
            ++grown_;
        } else if (grow(kept.lineage, read())) {
            ++grown_;
        }
        kept.round = round_;
        kept.rests_on = met_;
        if (met_ != kept.depth || grown_ == grown_before)
            return;
        if (round == most_rounds) {
            (void)grow(kept.lineage, anything());
            return;
        }
        ++round_;
    }
}

// What rested on nothing further out is complete.
void LineageMemory::settle(std::size_t first)
{
    for (std::size_t i = first; i < unsettled_.size(); ++i)
        unsettled_[i]->settled = true;
    unsettled_.resize(first);
}

}  // namespace sallyport::postgres
