#include "protocols/postgres/outbox.h"

#include <algorithm>
#include <utility>

namespace sallyport::postgres {

namespace {

// One block of own space grows to this size before the next is begun.
constexpr std::size_t own_block = std::size_t{4} << 10;

}  // namespace

void Outbox::clear()
{
    pieces_.clear();
    run_ = {};
    if (own_.size() > 1)
        own_.resize(1);
    if (!own_.empty())
        own_.front().clear();
}

void Outbox::push(Bytes piece)
{
    // Neighbours that belong to different commands still go as one.
    if (!pieces_.empty() &&
        static_cast<const std::byte*>(pieces_.back().data()) + pieces_.back().size() ==
            piece.data())
        pieces_.back() =
            boost::asio::const_buffer(pieces_.back().data(), pieces_.back().size() + piece.size());
    else
        pieces_.emplace_back(piece.data(), piece.size());
}

void Outbox::pass(Bytes whole)
{
    if (!run_.empty() && run_.data() + run_.size() == whole.data()) {
        run_ = {run_.data(), run_.size() + whole.size()};
        return;
    }
    end_run();
    run_ = whole;
}

Bytes Outbox::end_run()
{
    const Bytes run = std::exchange(run_, {});
    if (!run.empty())
        push(run);
    return run;
}

Bytes Outbox::add(std::string_view message)
{
    end_run();
    // A block is never grown beyond its capacity, so that pieces of it stay where they are.
    if (own_.empty() || own_.back().capacity() - own_.back().size() < message.size()) {
        own_.emplace_back();
        own_.back().reserve(std::max(own_block, message.size()));
    }
    std::string& block = own_.back();
    const std::size_t start = block.size();
    block += message;
    const Bytes placed = bytes_of(std::string_view(block).substr(start));
    push(placed);
    return placed;
}

}  // namespace sallyport::postgres
