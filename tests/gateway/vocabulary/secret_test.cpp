#include "gateway/vocabulary/secret.h"

#include <array>
#include <cstring>
#include <gtest/gtest.h>
#include <new>
#include <ostream>
#include <type_traits>

namespace sallyport::testing {
namespace {

template <class T>
concept printable = requires(std::ostream& out, const T& value) { out << value; };

static_assert(!std::is_copy_constructible_v<Secret>);
static_assert(!printable<Secret>);
static_assert(!std::equality_comparable<Secret>);

// The bytes of an object that is made and destroyed here, so that they can be looked at afterwards.
struct Room {
    alignas(Secret) std::array<std::byte, sizeof(Secret)> bytes{};

    bool holds(std::string_view text) const
    {
        return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size())
                   .find(text) != std::string_view::npos;
    }
};

TEST(SecretTest, LeavesNothingWhereItWas)
{
    Room from;
    Room to;
    auto* first = new (from.bytes.data()) Secret(std::string("short one"));
    EXPECT_TRUE(from.holds("short one"));
    auto* second = new (to.bytes.data()) Secret(std::move(*first));
    EXPECT_FALSE(from.holds("short one"));
    EXPECT_TRUE(first->empty());
    EXPECT_EQ(second->reveal(), "short one");
    first->~Secret();
    second->~Secret();
    EXPECT_FALSE(to.holds("short one"));
}

TEST(SecretTest, AssignmentErasesBothWays)
{
    Secret one(std::string("first"));
    Secret other(std::string("second"));
    one = std::move(other);
    EXPECT_EQ(one.reveal(), "second");
    EXPECT_TRUE(other.empty());  // NOLINT(bugprone-use-after-move): what is left is the test
    Secret& same = one;
    one = std::move(same);
    EXPECT_EQ(one.reveal(), "second");
    EXPECT_EQ(one.duplicate().reveal(), "second");
}

}  // namespace
}  // namespace sallyport::testing
