// The reader of statements on arbitrary texts: it must end, within its memory, without a crash, and
// say the same twice. What it records of a text that parses must not hold more than the text did.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "protocols/postgres/statement.h"

using namespace sallyport;
using namespace sallyport::postgres;

namespace {

void require(bool holds)
{
    if (!holds)
        std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto sql = read_sql(text, {"public.trusted"});
    const ClassSet classes = sql->command->classes();
    require(!sql->command->actions().empty() && !classes.empty());
    // What cannot be read is opaque and nothing else; what can be has every class of its
    // statements.
    if (!sql->problem.empty()) {
        require(sql->statements().empty());
        require(classes == ClassSet::of(static_cast<std::size_t>(SqlClass::opaque)));
        return 0;
    }
    ClassSet of_statements;
    for (const Statement& statement : sql->statements())
        of_statements |= statement.classes;
    require(sql->statements().empty() || of_statements == classes);
    require(read_sql(text, {"public.trusted"})->command->classes() == classes);

    // A comment in front and a statement behind add nothing and one class.
    const std::string longer = "/**/" + std::string(text) + "\n;DROP TABLE x";
    const auto more = read_sql(longer, {"public.trusted"});
    if (more->problem.empty())
        require((more->command->classes() & classes) == classes || sql->statements().empty());
    return 0;
}
