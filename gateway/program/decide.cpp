#include "gateway/program/decide.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>
#include <vector>

namespace sallyport {

namespace {

using Json = nlohmann::ordered_json;

constexpr int wrong_use = 2;

int refuse(std::ostream& errors, const std::string& why)
{
    errors << "sallyport decide: " << why << '\n';
    return wrong_use;
}

template <class Range, class Name>
std::string names_in(const Range& range, Name name)
{
    std::string text;
    for (const auto& element : range)
        text += (text.empty() ? "" : ", ") + name(element);
    return text.empty() ? "none" : text;
}

// The text in question and the option it was given with.
struct Given {
    std::string_view option;
    std::string_view protocol;
    const std::string* text = nullptr;
};

Given given_in(const Question& question)
{
    if (question.exec)
        return {.option = "--exec", .protocol = "ssh", .text = &*question.exec};
    if (question.http)
        return {.option = "--http", .protocol = "http", .text = &*question.http};
    if (question.sql)
        return {.option = "--sql", .protocol = "postgres", .text = &*question.sql};
    return {};
}

Json class_names(const Command& command)
{
    Json names = Json::array();
    const ClassSet classes = command.classes();
    for (std::size_t i = 0; i < command.vocabulary->classes.size(); ++i) {
        if (classes.contains(i))
            names.push_back(command.vocabulary->classes[i]);
    }
    return names;
}

Json objects_of(const Command& command)
{
    std::vector<std::string> objects;
    for (const Action& action : command.actions()) {
        if (!action.object.empty())
            objects.push_back(action.object);
    }
    std::ranges::sort(objects);
    objects.erase(std::ranges::unique(objects).begin(), objects.end());
    return objects;
}

// Each class with its object and the part of the text it comes from.
Json actions_of(const Command& command)
{
    Json actions = Json::array();
    for (const Action& action : command.actions())
        actions.push_back({{"class", command.vocabulary->classes[action.action_class]},
                           {"object", action.object},
                           {"cause", action.cause},
                           {"needs_allow", !action.behind}});
    return actions;
}

Json functions_of(const Understood& understood)
{
    Json functions = Json::array();
    for (const auto& [name, how] : understood.functions)
        functions.push_back({{"name", name}, {"resolved", how}});
    return functions;
}

Json columns_of(const Understood& understood, const MaskRules& masks)
{
    Json columns = Json::array();
    for (const Column& column : understood.columns) {
        const MaskAction* hidden = nullptr;
        for (const std::string& source : column.sources)
            hidden = hidden == nullptr ? masks.action_for(source) : hidden;
        if (hidden == nullptr && !column.traced && !masks.hides_nothing())
            hidden = &MaskRules::untraced_action();
        Json one = {{"name", column.label},
                    {"from", column.sources},
                    {"traced", column.traced},
                    {"masked", hidden != nullptr}};
        if (hidden != nullptr)
            one["rule"] = hidden->rule;
        columns.push_back(std::move(one));
    }
    return columns;
}

Json described(const MaskAction& action)
{
    switch (action.kind) {
    case MaskAction::Kind::redact: return "redact";
    case MaskAction::Kind::null: return "null";
    case MaskAction::Kind::hash: return "hash";
    case MaskAction::Kind::keep_last: return {{"keep_last", action.keep}};
    case MaskAction::Kind::keep_first: return {{"keep_first", action.keep}};
    case MaskAction::Kind::replace: return {{"replace", action.text}};
    }
    return "redact";
}

Json described(const MaskRules& rules)
{
    Json masks = Json::array();
    for (const MaskRules::Rule& rule : rules.rules()) {
        Json mask = Json::object();
        if (!rule.columns.empty())
            mask["columns"] = rule.columns;
        for (const JsonPath& path : rule.json)
            mask["json"].push_back(path.text);
        for (const Detector detector : rule.detect)
            mask["detect"].push_back(name_of(detector));
        mask["with"] = described(rule.action);
        if (rule.refuse_conditions)
            mask["refuse"].push_back("conditions");
        if (rule.refuse_writes)
            mask["refuse"].push_back("writes");
        mask["rule"] = rule.action.rule;
        masks.push_back(std::move(mask));
    }
    return masks;
}

Json described(const SessionLimits& limits)
{
    Json object = Json::object();
    if (limits.rows)
        object["rows"] = *limits.rows;
    if (limits.session)
        object["session_seconds"] = limits.session->count();
    if (limits.idle)
        object["idle_seconds"] = limits.idle->count();
    return object;
}

Ruling ruling_on_login(std::string reason)
{
    Ruling ruling;
    ruling.policy = "default";
    ruling.rule = "default";
    ruling.reason = std::move(reason);
    return ruling;
}

}  // namespace

int decide(const Question& question, std::span<const ProtocolWords> protocols,
           std::span<const CommandReader> readers, std::ostream& out, std::ostream& errors)
{
    const Given given = given_in(question);
    if (given.text == nullptr)
        return refuse(errors,
                      "a command is needed: --sql TEXT, --exec TEXT or --http 'METHOD PATH'");
    const auto reader = std::ranges::find(readers, given.option, &CommandReader::option);
    if (reader == readers.end())
        return refuse(errors, "protocol " + std::string(given.protocol) + " is not in this build");

    const auto configuration = read_configuration(question.config_file, protocols);
    if (!configuration) {
        for (const Problem& problem : configuration.error())
            errors << to_string(problem) << '\n';
        return wrong_use;
    }
    const auto user = std::ranges::find(configuration->users, question.user, &LocalUser::name);
    if (user == configuration->users.end())
        return refuse(
            errors,
            "user \"" + question.user + "\" is not in " + question.config_file + "; known are " +
                names_in(configuration->users, [](const LocalUser& known) { return known.name; }));
    const auto has_name = [&](const auto& known) { return known->name == question.connection; };
    const auto connection = std::ranges::find_if(configuration->connections, has_name);
    if (connection == configuration->connections.end())
        return refuse(errors, "connection \"" + question.connection + "\" is not in " +
                                  question.config_file + "; known are " +
                                  names_in(configuration->connections,
                                           [](const auto& known) { return known->name; }));
    if ((*connection)->protocol != reader->protocol)
        return refuse(errors, "connection \"" + question.connection + "\" speaks " +
                                  (*connection)->protocol + ", and " + std::string(given.option) +
                                  " is a command for " + std::string(reader->protocol));

    const PolicySet policies(configuration->policies, configuration->policies_hash,
                             std::make_shared<const MaskKey>());
    const Identity who{.name = user->name, .groups = user->groups, .proof = "decide"};
    const EffectivePolicy effective = policies.effective(who, (*connection)->name);
    const auto understood =
        reader->read(*given.text, **connection, configuration->gateway.state_dir);
    if (!understood)
        return refuse(errors, understood.error().detail);
    const std::shared_ptr<const Command>& command = understood->command;
    Ruling ruling =
        user->disabled ? ruling_on_login("the user is disabled: the login is refused")
        : !effective.applies()
            ? ruling_on_login("no policy names this user on this connection: the login is refused")
            : effective.rule_on(*command);

    if (ruling.verdict == Verdict::hold && ruling.reason.empty())
        ruling.reason = "it needs an approval";

    const Json answer = {
        {"verdict", name_of(ruling.verdict)},
        {"user", user->name},
        {"connection", (*connection)->name},
        {"policy", ruling.policy},
        {"rule", ruling.rule},
        {"reason", ruling.reason},
        {"cause", ruling.cause},
        {"matched", ruling.matched},
        {"classes", class_names(*command)},
        {"objects", objects_of(*command)},
        {"actions", actions_of(*command)},
        {"functions", functions_of(*understood)},
        {"columns", columns_of(*understood, effective.masks())},
        {"masks", described(effective.masks())},
        {"untraceable",
         effective.masks().untraceable() == MaskRules::Untraceable::refuse ? "refuse" : "mask"},
        {"limits", described(effective.limits())},
        {"policies_hash", policies.hash()},
    };
    out << answer.dump(question.json ? -1 : 2, ' ', false, Json::error_handler_t::replace) << '\n';
    return ruling.verdict == Verdict::allow ? 0 : 1;
}

void add_decide_command(CLI::App& app, std::span<const ProtocolWords> protocols,
                        std::span<const CommandReader> readers, int& status)
{
    const auto question = std::make_shared<Question>();
    CLI::App* command =
        app.add_subcommand("decide", "What would happen to a command and why, as JSON");
    command->add_option("--config", question->config_file, "The configuration file")->required();
    command->add_option("--user", question->user, "A local user of the configuration")->required();
    command->add_option("--connection", question->connection, "A connection's name")->required();
    CLI::Option_group* texts = command->add_option_group("command", "The command in question");
    texts->add_option("--sql", question->sql, "SQL, one or more statements");
    texts->add_option("--exec", question->exec, "A command line");
    texts->add_option("--http", question->http, "'METHOD PATH'");
    texts->require_option(1);
    command->add_option("--body", question->body, "The body of the --http request");
    command->add_flag("--json", question->json, "The answer on one line");
    command->footer(
        "Nothing is contacted and nothing is recorded. The exit status is 0 for allow, 1 for deny "
        "and "
        "hold, 2 for wrong use.\nExample:\n  sallyport decide --config gateway.yaml --user alice "
        "--connection featurestore --sql 'DROP TABLE users'");
    command->callback([question, protocols, readers, &status] {
        status = decide(*question, protocols, readers, std::cout, std::cerr);
    });
}

}  // namespace sallyport
