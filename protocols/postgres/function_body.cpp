#include "protocols/postgres/function_body.h"

// Its macros hide names of the standard library.
#include "protocols/postgres/postgres_nodes.h"

namespace sallyport::postgres {

namespace {

std::string_view type_of(const TypeName* type)
{
    return type == nullptr || type->names == nullptr
               ? std::string_view()
               : string_of(node_of(cells(type->names).back()));
}

}  // namespace

FunctionBody body_of(const CreateFunctionStmt& one)
{
    FunctionBody body;
    for (const ListCell& cell : cells(one.options)) {
        const auto& option = as<DefElem>(node_of(cell));
        const std::string_view name = view(option.defname);
        if (name == "language") {
            body.language = string_of(option.arg);
        } else if (name == "as") {
            const auto parts = cells(&as<List>(option.arg));
            body.text = string_of(node_of(parts[0]));
            body.native = parts.size() > 1;
        }
    }
    return body;
}

PlpgsqlRoutine routine_of(const CreateFunctionStmt& one, std::string_view text)
{
    PlpgsqlRoutine routine;
    routine.text = text;
    routine.name = string_of(node_of(cells(one.funcname).back()));
    for (const ListCell& cell : cells(one.parameters)) {
        const auto& parameter = as<FunctionParameter>(node_of(cell));
        routine.parameters.push_back({view(parameter.name), type_of(parameter.argType)});
        if (parameter.mode == FUNC_PARAM_TABLE)
            routine.returns_set = true;
        if (parameter.mode == FUNC_PARAM_TABLE || parameter.mode == FUNC_PARAM_OUT ||
            parameter.mode == FUNC_PARAM_INOUT)
            routine.has_output = true;
    }
    if (one.returnType != nullptr) {
        const std::string_view returns = type_of(one.returnType);
        routine.returns_set = routine.returns_set || one.returnType->setof;
        if (returns == "trigger")
            routine.trigger = PlpgsqlRoutine::Trigger::rows;
        else if (returns == "event_trigger")
            routine.trigger = PlpgsqlRoutine::Trigger::event;
    }
    return routine;
}

}  // namespace sallyport::postgres
