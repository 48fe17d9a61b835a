// Lineages that lead into each other.

#include "protocols/postgres/lineage_memory.h"

#include <algorithm>
#include <array>
#include <gtest/gtest.h>

namespace sallyport::postgres {

namespace {

// Places in a graph, each with a column of its own; its lineage has the columns of all it leads to.
class Graph {
public:
    explicit Graph(std::vector<std::vector<std::size_t>> edges)
        : edges_(std::move(edges)), columns_(edges_.size())
    {
    }

    const Lineage& lineage(std::size_t of)
    {
        return memory_.of({this, &columns_[of]}, [this, of] {
            ++readings_;
            Lineage made;
            add(made.values, &columns_[of]);
            for (const std::size_t next : edges_[of])
                add(made.values, lineage(next).values);
            return made;
        });
    }

    std::size_t reached(std::size_t from) { return lineage(from).values.size(); }
    bool is_untraced(std::size_t from)
    {
        const Sources& values = lineage(from).values;
        return std::find(values.begin(), values.end(), untraced()) != values.end();
    }
    std::size_t readings() const { return readings_; }

private:
    std::vector<std::vector<std::size_t>> edges_;
    std::vector<CatalogueColumn> columns_;
    LineageMemory memory_;
    std::size_t readings_ = 0;
};

TEST(LineageMemoryTest, EachIsReadOnce)
{
    Graph diamond({{1, 2}, {3}, {3}, {}});
    EXPECT_EQ(diamond.reached(0), 4U);
    EXPECT_EQ(diamond.reached(0), 4U);
    EXPECT_EQ(diamond.reached(1), 2U);
    EXPECT_EQ(diamond.readings(), 4U);
}

TEST(LineageMemoryTest, WhoeverIsInACircleHasAllOfIt)
{
    for (const std::size_t first : {0U, 1U, 2U, 3U}) {
        // 0 -> 1 -> 2 -> 0, and 3 beside it.
        Graph circle({{1}, {2}, {0, 3}, {}});
        EXPECT_EQ(circle.reached(first), first == 3 ? 1U : 4U);
        for (const std::size_t other : {0U, 1U, 2U})
            EXPECT_EQ(circle.reached(other), 4U) << first << " first, then " << other;
    }
}

TEST(LineageMemoryTest, CirclesWithinCircles)
{
    // 0 -> 1 <-> 2, 2 -> 3 -> 4 -> 3, 4 -> 0, 1 -> 5.
    for (std::size_t first = 0; first < 5; ++first) {
        Graph nested({{1}, {2, 5}, {1, 3}, {4}, {3, 0}, {}});
        EXPECT_EQ(nested.reached(first), 6U);
        for (std::size_t other = 0; other < 5; ++other)
            EXPECT_EQ(nested.reached(other), 6U) << first << " first, then " << other;
        EXPECT_EQ(nested.reached(5), 1U);
    }
}

TEST(LineageMemoryTest, WhatLeadsToACircleIsNoPartOfIt)
{
    // 0 leads to the circle of 1 and 2, 3 leads to 0.
    Graph tail({{1}, {2}, {1}, {0}});
    EXPECT_EQ(tail.reached(3), 4U);
    EXPECT_EQ(tail.reached(0), 3U);
    EXPECT_EQ(tail.reached(1), 2U);
    EXPECT_EQ(tail.reached(2), 2U);
}

TEST(LineageMemoryTest, EverythingWithEverythingIsReadAFewTimes)
{
    constexpr std::size_t members = 14;
    std::vector<std::size_t> all;
    for (std::size_t i = 0; i < members; ++i)
        all.push_back(i);
    Graph clique(std::vector<std::vector<std::size_t>>(members, all));
    for (std::size_t i = 0; i < members; ++i)
        EXPECT_EQ(clique.reached(i), members);
    EXPECT_LE(clique.readings(), 4 * members);
}

TEST(LineageMemoryTest, ALongChainIsUntracedAtItsEnd)
{
    constexpr std::size_t length = 40;
    std::vector<std::vector<std::size_t>> chain(length);
    for (std::size_t i = 0; i + 1 < length; ++i)
        chain[i] = {i + 1};
    Graph graph(chain);
    EXPECT_TRUE(graph.is_untraced(0));
    EXPECT_FALSE(graph.is_untraced(length - 4));
}

// Any graph, asked in any order, gives what can be reached.
TEST(LineageMemoryTest, AgreesWithReachability)
{
    constexpr std::size_t places = 7;
    std::uint32_t state = 1;
    const auto random = [&state] {
        state = state * 1664525 + 1013904223;
        return state >> 16;
    };
    for (int trial = 0; trial < 2000; ++trial) {
        std::vector<std::vector<std::size_t>> edges(places);
        std::array<std::array<bool, places>, places> reaches{};
        for (std::size_t from = 0; from < places; ++from) {
            reaches.at(from).at(from) = true;
            for (std::size_t to = 0; to < places; ++to) {
                if (random() % 4 != 0)
                    continue;
                edges[from].push_back(to);
                reaches.at(from).at(to) = true;
            }
        }
        for (std::size_t via = 0; via < places; ++via)
            for (std::size_t from = 0; from < places; ++from)
                for (std::size_t to = 0; to < places; ++to)
                    reaches.at(from).at(to) = reaches.at(from).at(to) ||
                                              (reaches.at(from).at(via) && reaches.at(via).at(to));
        Graph graph(edges);
        for (std::size_t asked = 0; asked < places; ++asked) {
            const std::size_t from = random() % places;
            const auto& row = reaches.at(from);
            EXPECT_EQ(graph.reached(from),
                      static_cast<std::size_t>(std::count(row.begin(), row.end(), true)))
                << "trial " << trial << ", from " << from;
        }
    }
}

}  // namespace

}  // namespace sallyport::postgres
