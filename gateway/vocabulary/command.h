// What a client asks of a target, in words every protocol shares.
//
// Each protocol translates what its clients ask - an SQL statement, an SSH exec, an HTTP request -
// into one Command. Whatever decides (policy), remembers (audit) or waits for people (approvals)
// reads Commands and never wire bytes, so that a new protocol changes nothing outside its folder.

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport {

// A set of a vocabulary's classes, by their position in Vocabulary::classes (at most 64).
class ClassSet {
public:
    constexpr ClassSet() = default;
    static constexpr ClassSet of(std::size_t position)
    {
        return ClassSet(std::uint64_t{1} << position);
    }

    constexpr ClassSet operator|(ClassSet other) const { return ClassSet(bits_ | other.bits_); }
    constexpr ClassSet operator&(ClassSet other) const { return ClassSet(bits_ & other.bits_); }
    constexpr ClassSet& operator|=(ClassSet other)
    {
        bits_ |= other.bits_;
        return *this;
    }
    constexpr bool empty() const { return bits_ == 0; }
    constexpr bool contains(std::size_t position) const { return (bits_ >> position & 1) != 0; }
    constexpr bool within(ClassSet other) const { return (bits_ & ~other.bits_) == 0; }
    constexpr bool operator==(const ClassSet&) const = default;

private:
    constexpr explicit ClassSet(std::uint64_t bits) : bits_(bits) {}

    std::uint64_t bits_ = 0;
};

// The words a protocol's rules are written in: "sql" with select, drop, opaque ..., and the groups
// that stand for several of them. Lives as long as the program.
struct Vocabulary {
    struct Group {
        std::string_view name;
        ClassSet members;
    };

    std::string_view facet;  // the key of a rule: {allow: {sql: [read]}}
    std::span<const std::string_view> classes;
    std::span<const Group> groups;  // "*" need not be among them: it is every class
    ClassSet reads;                 // a command with no other class changes nothing on the target
};

// One thing a command does to one object.
struct Action {
    std::uint8_t action_class;  // position in the vocabulary's classes
    std::string object;  // qualified name it touches, "public.users"; empty where there is none
    std::string cause;   // the part of the command that has this class, for the refusal
    // Read on behalf of something that is asked for itself, as the tables behind a view: rules may
    // deny or hold it, but it needs none that allows it.
    bool behind = false;
};

// Never empty: what cannot be understood has the opaque class.
using Actions = std::vector<Action>;

// Immutable; shared by every session that sends the same text.
struct Command {
    const Vocabulary* vocabulary = nullptr;
    std::string text;  // as recorded: secrets in it are replaced
    // Never null; texts that do the same may share them.
    std::shared_ptr<const Actions> shared_actions = std::make_shared<const Actions>();

    const Actions& actions() const { return *shared_actions; }
    ClassSet classes() const;

    // True where every action is of a reading class: it may go to the target before its receipt.
    bool only_reads() const { return classes().within(vocabulary->reads); }
};

// "select update_all", in the vocabulary's order.
std::string names_of(const Vocabulary& vocabulary, ClassSet classes);

// How a command ended, as far as the gateway saw.
struct Outcome {
    bool succeeded = false;
    std::string summary;  // the target's own closing word: "SELECT 3", "exit 1", "404"; no values
};

}  // namespace sallyport
