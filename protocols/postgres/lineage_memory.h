// Lineages of functions, views and triggers, each read once, also where they lead into each other.
//
// A circle of them is read again and again, each time with what was found before, until nothing is
// added: the least fixed point of what flows through it.

#pragma once

#include <functional>
#include <unordered_map>
#include <vector>

#include "protocols/postgres/lineage.h"

namespace sallyport::postgres {

class LineageMemory {
public:
    // What a lineage is of, and the names it was read with: addresses only.
    struct Mark {
        const void* names = nullptr;
        const void* object = nullptr;

        bool operator==(const Mark&) const = default;
    };

    // The lineage of what `mark` stands for. read() gives it, and may ask for others and for the
    // same in turn: then it gets what is known so far. What is too deep or too much to be followed
    // is untraced. Stays where it is; what it says can grow until the outermost call has returned.
    const Lineage& of(const Mark& mark, const std::function<Lineage()>& read);

private:
    struct MarkHash {
        std::size_t operator()(const Mark& mark) const
        {
            return std::hash<const void*>()(mark.names) * 31 +
                   std::hash<const void*>()(mark.object);
        }
    };
    struct Kept {
        Lineage lineage;
        bool settled = false;
        int depth = -1;    // of the reading under way; -1: none
        int round = -1;    // when it was last read
        int rests_on = 0;  // the outermost reading under way that it used
    };

    void read_through(Kept& kept, const std::function<Lineage()>& read);
    void settle(std::size_t first);

    std::unordered_map<Mark, Kept, MarkHash> kept_;
    std::vector<Kept*> unsettled_;  // in the order they were begun
    int depth_ = 0;
    int round_ = 0;
    int met_ = 0;  // the outermost reading under way that was used since the current one began
    std::size_t grown_ = 0;  // readings that added something
    std::size_t size_ = 0;   // flows and outputs kept
};

}  // namespace sallyport::postgres
