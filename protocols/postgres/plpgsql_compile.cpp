// Sets up the library's parser of PL/pgSQL for one body, as the server's own compiler does, and
// runs it.
//
// Types of variables are unknown without a catalogue, and the library takes each for a scalar one.
// The grammar asks for a type in three places only: what is opened or looped over as a cursor has
// the type refcursor, a record stands alone behind INTO, and "name.field :=" needs a record. The
// first two are put right where a variable is made. For the third every variable of another type is
// there twice, as a scalar and behind it as a record, which names with a field find: a type of the
// schema may be either. Where the server knows better it refuses the body.

#include "protocols/postgres/plpgsql_compile.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "protocols/postgres/sql_tokens.h"

// Their macros hide names of the standard library.
#include "protocols/postgres/plpgsql_library.h"

namespace sallyport::postgres {

namespace {

// Comments in a row that are read: the library's lexer may call itself for each.
constexpr std::size_t comments_in_a_row = 2000;

// Variables, each there twice: the grammar looks through them for every word.
constexpr int datum_limit = 2000;

// The last part of a type's name as it was declared, without array bounds and the like. Empty where
// more stands there.
std::string_view last_name(std::string_view type)
{
    SqlTokens tokens(type);
    std::string_view name;
    bool dot = true;
    while (const auto token = tokens.next()) {
        if (dot == (token->text == "."))
            return {};
        dot = token->text == ".";
        if (!dot)
            name = token->text;
    }
    if (name.size() > 2 && name.front() == '"')
        name = name.substr(1, name.size() - 2);
    return name;
}

// Names are compared as byte strings; the text is kept by the parser's memory.
char* copy_of(std::string_view text)
{
    char* copy = static_cast<char*>(palloc0(text.size() + 1));
    std::copy(text.begin(), text.end(), copy);
    return copy;
}

// Runs work and says what error it ended with, as PG_TRY would; null for none. work holds nothing
// that needs a destructor: an error jumps out of it.
const char* error_of(void (*work)(void*), void* argument, MemoryContext memory)
{
    sigjmp_buf* const outer = PG_exception_stack;
    ErrorContextCallback* const outer_context = error_context_stack;
    sigjmp_buf here;
    const char* message = nullptr;
    if (sigsetjmp(here, 0) == 0) {
        PG_exception_stack = &here;
        work(argument);
        PG_exception_stack = outer;
    } else {
        PG_exception_stack = outer;
        error_context_stack = outer_context;
        CurrentMemoryContext = memory;
        message = CopyErrorData()->message;
        FlushErrorState();
        if (message == nullptr)
            message = "an error without a message";
    }
    return message;
}

void declare(const char* name, std::string_view type)
{
    PLpgSQL_type* made = plpgsql_build_datatype(UNKNOWNOID, -1, InvalidOid, nullptr);
    made->typname = copy_of(type);
    plpgsql_build_variable(name, 0, made, true);
}

struct Compilation {
    const PlpgsqlRoutine* routine;
    PLpgSQL_function* function;
    int first_of_text;  // datums before it are not declared in the text
};

void declare_surroundings(const PlpgsqlRoutine& routine)
{
    int number = 0;
    for (const PlpgsqlRoutine::Parameter& parameter : routine.parameters) {
        std::array<char, 16> position{};
        snprintf(position.data(), position.size(), "$%d", ++number);
        declare(position.data(), parameter.type);
        if (!parameter.name.empty())
            declare(copy_of(parameter.name), parameter.type);
    }
    declare("found", "bool");
    if (routine.trigger == PlpgsqlRoutine::Trigger::rows) {
        for (const char* name : {"new", "old"})
            plpgsql_build_record(name, 0, nullptr, RECORDOID, true);
        for (const char* name :
             {"tg_name", "tg_when", "tg_level", "tg_op", "tg_relid", "tg_relname", "tg_table_name",
              "tg_table_schema", "tg_nargs", "tg_argv"})
            declare(name, "text");
    } else if (routine.trigger == PlpgsqlRoutine::Trigger::event) {
        for (const char* name : {"tg_event", "tg_tag"})
            declare(name, "text");
    }
}

// As plpgsql_compile_inline() and do_compile() of the server.
void compile(void* argument)
{
    auto& [routine, function, first_of_text] = *static_cast<Compilation*>(argument);
    plpgsql_scanner_init(copy_of(routine->text));
    char* const name = copy_of(routine->name);
    plpgsql_error_funcname = name;
    // Every piece is parsed afterwards, once.
    plpgsql_check_syntax = false;
    plpgsql_DumpExecTree = false;
    plpgsql_compile_tmp_cxt = CurrentMemoryContext;
    plpgsql_curr_compile = function;
    function->fn_signature = name;
    function->fn_cxt = CurrentMemoryContext;
    function->fn_rettype = VOIDOID;
    function->fn_retset = routine->returns_set;
    // Of which only the sign counts here.
    function->out_param_varno = routine->has_output ? 0 : -1;
    plpgsql_ns_init();
    plpgsql_ns_push(name, PLPGSQL_LABEL_BLOCK);
    plpgsql_start_datums();
    declare_surroundings(*routine);
    first_of_text = plpgsql_nDatums;
    plpgsql_parse_result = nullptr;
    if (plpgsql_yyparse() == 0)
        function->action = plpgsql_parse_result;
    plpgsql_scanner_finish();
}

struct Piece {
    const char* text;
    int mode;
    const List* tree;
};

void parse_piece(void* argument)
{
    auto& [text, mode, tree] = *static_cast<Piece*>(argument);
    tree = raw_parser(text, static_cast<RawParseMode>(mode));
}

// The grammar quotes the text it stumbled over, which may be a piece of a password.
std::string without_quotation(std::string_view problem)
{
    return std::string(problem.substr(0, problem.find(" at or near")));
}

bool has_many_comments_in_a_row(std::string_view text)
{
    std::size_t count = 0;
    for (std::size_t i = 0; i + 1 < text.size(); ++i) {
        const std::string_view two = text.substr(i, 2);
        count += two == "--" || two == "/*" ? 1 : 0;
    }
    if (count <= comments_in_a_row)
        return false;
    // Rarely come to: what stands between two tokens, counted by its beginnings.
    SqlTokens tokens(text);
    std::size_t end = 0;
    while (const auto token = tokens.next()) {
        const auto begin = static_cast<std::size_t>(token->text.data() - text.data());
        count = 0;
        for (std::size_t i = end; i + 1 < begin; ++i)
            count += text.substr(i, 2) == "--" || text.substr(i, 2) == "/*" ? 1 : 0;
        if (count > comments_in_a_row)
            return true;
        end = begin + token->text.size();
    }
    return false;
}

}  // namespace

// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): the linker's names for
// what stands in a function's place and for the function itself (--wrap).
extern "C" {
PLpgSQL_type* __real_plpgsql_build_datatype(Oid type, int32 modifier, Oid collation,
                                            TypeName* name);
PLpgSQL_variable* __real_plpgsql_build_variable(const char* name, int line, PLpgSQL_type* type,
                                                bool add);

// The library forgets the type that it was asked for; cursors are known by it.
PLpgSQL_type* __wrap_plpgsql_build_datatype(Oid type, int32 modifier, Oid collation, TypeName* name)
{
    PLpgSQL_type* made = __real_plpgsql_build_datatype(type, modifier, collation, name);
    made->typoid = type;
    return made;
}

// A type that is not known cannot have another's collation: the grammar would refuse it.
Oid __wrap_get_collation_oid(List* /*name*/, bool /*missing_ok*/)
{
    return InvalidOid;
}

PLpgSQL_variable* __wrap_plpgsql_build_variable(const char* name, int line, PLpgSQL_type* type,
                                                bool add)
{
    if (plpgsql_nDatums >= datum_limit)
        plpgsql_yyerror("too many variables");
    const bool of_the_text = type->typoid == InvalidOid || type->typoid == UNKNOWNOID;
    if (of_the_text && type->ttype == PLPGSQL_TTYPE_SCALAR) {
        const std::string_view word = last_name(view(type->typname));
        if (is_word(word, "record"))
            type->ttype = PLPGSQL_TTYPE_REC;
        else if (is_word(word, "refcursor"))
            type->typoid = REFCURSOROID;
        else
            plpgsql_build_record(name, line, type, RECORDOID, add);
    }
    return __real_plpgsql_build_variable(name, line, type, add);
}
}
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)

PlpgsqlCompile::PlpgsqlCompile(const PlpgsqlRoutine& routine)
    : memory_(pg_query_enter_memory_context())
{
    if (routine.text.size() > text_limit) {
        problem_ = "longer than " + std::to_string(text_limit) + " bytes";
        return;
    }
    if (has_many_comments_in_a_row(routine.text)) {
        problem_ = "more than " + std::to_string(comments_in_a_row) + " comments in a row";
        return;
    }
    PLpgSQL_function function{};
    Compilation one{&routine, &function, 0};
    if (const char* message = error_of(compile, &one, static_cast<MemoryContext>(memory_))) {
        problem_ = without_quotation(message);
        return;
    }
    tree_ = function.action;
    if (tree_ == nullptr)
        problem_ = "no block";
    for (int i = one.first_of_text; i < plpgsql_nDatums; ++i)
        declared_.push_back(plpgsql_Datums[i]);
}

PlpgsqlCompile::~PlpgsqlCompile()
{
    pg_query_exit_memory_context(memory_);
}

const List* PlpgsqlCompile::parse(const char* piece, int mode)
{
    auto* const memory = static_cast<MemoryContext>(memory_);
    CurrentMemoryContext = memory;
    Piece one{piece, mode, nullptr};
    if (const char* message = error_of(parse_piece, &one, memory)) {
        problem_ = without_quotation(message);
        return nullptr;
    }
    return one.tree;
}

}  // namespace sallyport::postgres
