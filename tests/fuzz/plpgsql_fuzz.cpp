// The reader of PL/pgSQL bodies on arbitrary texts: it must end, within its memory, without a
// crash. The first byte says what the text is the body of; the rest is taken as the server would
// take it.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "protocols/postgres/plpgsql_block.h"
#include "protocols/postgres/statement.h"
#include "protocols/postgres/utf8.h"
#include "tests/protocols/postgres/sample_names.h"

using namespace sallyport;
using namespace sallyport::postgres;

namespace {

void require(bool holds)
{
    if (!holds)
        std::abort();
}

PlpgsqlRoutine routine_of(std::uint8_t form, std::string_view text)
{
    PlpgsqlRoutine routine{.text = text};
    if ((form & 1) != 0)
        routine.parameters = {{"a", "int4"}, {"", "users"}, {"r", "record"}, {"c", "refcursor"}};
    routine.returns_set = (form & 2) != 0;
    routine.has_output = (form & 4) != 0;
    if ((form & 8) != 0)
        routine.trigger =
            (form & 16) != 0 ? PlpgsqlRoutine::Trigger::event : PlpgsqlRoutine::Trigger::rows;
    return routine;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size == 0)
        return 0;
    // What is no text never comes as far.
    const std::string text(reinterpret_cast<const char*>(data + 1), size - 1);
    if (!is_utf8(text) || text.find('\0') != std::string::npos)
        return 0;
    const PlpgsqlRoutine routine = routine_of(data[0], text);
    const PlpgsqlBlock block = read_plpgsql(routine);
    for (const PlpgsqlBlock::Fragment& fragment : block.fragments)
        require((fragment.tree == nullptr) == (fragment.kind == PlpgsqlBlock::Kind::executed));
    const PlpgsqlBlock again = read_plpgsql(routine);
    require(again.problem == block.problem && again.dynamic == block.dynamic &&
            again.fragments.size() == block.fragments.size() && again.variables == block.variables);

    // In a DO: the problem and what is dynamic make it opaque.
    std::string tag = "$f$";
    while (text.find(tag) != std::string::npos)
        tag.insert(1, "f");
    static const std::shared_ptr<Resolution> names = sample_names();
    const auto sql = read_sql("DO " + tag + text + tag, names);
    const bool opaque =
        sql->command->classes().contains(static_cast<std::size_t>(SqlClass::opaque));
    if (data[0] == 0 && text.find('$') == std::string::npos &&
        (!block.problem.empty() || block.dynamic))
        require(opaque);
    return 0;
}
