// Which schemas a session's unqualified names are looked for in, and how that changes.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::postgres {

struct SearchPath {
    std::vector<std::string> schemas;  // in order; without pg_temp and pg_catalog where implied
    bool known = true;                 // false: a name may mean any that has it

    bool operator==(const SearchPath&) const = default;
};

// The value of the setting as a list of identifiers (SplitIdentifierString() of
// utils/adt/varlena.c). Nothing where it is none.
std::optional<std::vector<std::string>> read_search_path(std::string_view value);

// What a statement makes of the search path.
struct PathChange {
    enum class To : std::uint8_t { value, as_at_login, unknown };

    To to = To::unknown;
    std::vector<std::string> schemas;
    bool local = false;  // until the transaction ends
};

// Follows one session. While a change is under way, and wherever it is not certain what became of
// one, the path is unknown.
class SessionPath {
public:
    // at_login: as the client asked for it, if it did; else the target's own default is in force.
    explicit SessionPath(std::optional<std::vector<std::string>> at_login = std::nullopt);

    // Nothing: the target's default for the login's role.
    std::optional<SearchPath> now() const;

    // Counts the changes of what now() gives.
    std::uint64_t version() const { return version_; }

    // A statement with this change was forwarded; its answer came, or never will.
    void begun()
    {
        ++under_way_;
        ++version_;
    }
    void completed(const PathChange& change);
    void came_to_nothing();

    // COMMIT, ROLLBACK and ROLLBACK TO have completed.
    void committed();
    void rolled_back();
    void rolled_back_to_savepoint();

    // An error: what the transaction did, it did not do.
    void failed() { failed_ = true; }

    // ReadyForQuery, with its transaction status.
    void ready(char status);

    // Something ran that may have set it to anything.
    void lost();

private:
    using State = std::optional<SearchPath>;

    void forget_transaction();

    State at_login_;
    State settled_;
    std::optional<State> before_;  // what a rollback goes back to; nothing: unchanged
    bool local_ = false;           // something was set until the end of the transaction
    bool lasting_ = false;         // something was set beyond it
    bool failed_ = false;          // an error since the last transaction ended
    int under_way_ = 0;
    std::uint64_t version_ = 0;
};

}  // namespace sallyport::postgres
