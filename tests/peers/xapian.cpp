// Xapian of Debian's libxapian-dev behind the text protocol of README.md.
#include <xapian.h>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <sstream>
#include "driver.hpp"

namespace {

const char* const STOP =
    "a an and are as at be but by for if in into is it no not of on or such that the their then there these they this to was will with";

struct Query {
    std::string kind, text;
};

class Texts {
    std::filesystem::path folder_;
    std::string corpus_;
    int rows_ = 0;
    std::vector<Query> queries_;
    Xapian::SimpleStopper stopper_;
    Xapian::TermGenerator terms_;
    Xapian::Database database_;

public:
    Texts() {
        std::string pattern = (std::filesystem::temp_directory_path() / "xapian-peer-XXXXXX").string();
        if (!mkdtemp(pattern.data()))
            throw std::runtime_error("no temporary folder");
        folder_ = pattern;
        std::istringstream words(STOP);
        for (std::string word; words >> word;)
            stopper_.add(word);
        terms_.set_stemmer(Xapian::Stem("english"));
        terms_.set_stemming_strategy(Xapian::TermGenerator::STEM_ALL);
        terms_.set_stopper(&stopper_);
        terms_.set_stopper_strategy(Xapian::TermGenerator::STOP_ALL);
    }

    ~Texts() {
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }

    void load(const Request& request) {
        corpus_ = request.text("corpus");
        rows_ = request.number("rows", std::numeric_limits<int>::max());
        std::ifstream file(request.text("queries"));
        queries_.clear();
        for (std::string line; std::getline(file, line);) {
            Request query(line);
            queries_.push_back({query.text("kind"), query.text("text")});
        }
        std::printf("{\"queries\":%zu}\n", queries_.size());
    }

    void build() {
        double cpu = processor_seconds();
        auto start = Clock::now();
        auto loose = (folder_ / "loose").string(), dense = (folder_ / "texts").string();
        int row = 0;
        {
            Xapian::WritableDatabase database(loose, Xapian::DB_CREATE_OR_OVERWRITE | Xapian::DB_NO_TERMLIST | Xapian::DB_DANGEROUS);
            std::ifstream file(corpus_);
            for (std::string line; row < rows_ && std::getline(file, line); row++) {
                Request text(line);
                Xapian::Document document;
                terms_.set_document(document);
                terms_.index_text_without_positions(text.text("title") + " " + text.text("text"));
                database.add_document(document);
            }
            database.commit();
            database.compact(dense, Xapian::DBCOMPACT_NO_RENUMBER | Xapian::Compactor::FULLER);
        }
        std::filesystem::remove_all(loose);
        database_ = Xapian::Database(dense);
        long bytes = 0;
        for (auto& entry : std::filesystem::recursive_directory_iterator(dense))
            bytes += entry.is_regular_file() ? long(entry.file_size()) : 0;
        std::printf("{\"rows\":%d,\"seconds\":%.3f,\"cpu_seconds\":%.3f,\"bytes\":%ld}\n", row, seconds_since(start),
                    processor_seconds() - cpu, bytes);
    }

    // Analysis and query are made anew for each query; times are the least of the passes.
    void search(const Request& request) {
        auto kind = request.text("kind");
        auto joint = request.text("shape") == "must" ? Xapian::Query::OP_AND : Xapian::Query::OP_OR;
        int k = request.number("k", 10), passes = request.number("passes", 1);
        size_t most = size_t(request.number("queries", std::numeric_limits<int>::max()));
        std::vector<const Query*> chosen;
        for (auto& query : queries_)
            if ((kind.empty() || kind == query.kind) && chosen.size() < most)
                chosen.push_back(&query);
        std::vector<double> times(chosen.size(), 1e300);
        std::vector<std::vector<unsigned>> ids(chosen.size());
        Xapian::Enquire enquire(database_);
        // k1 and b as every peer has them; k3 counts only where a query repeats a word; the least length is its default.
        enquire.set_weighting_scheme(Xapian::BM25Weight(1.2, 0, 1, 0.75, 0.5));
        enquire.set_docid_order(Xapian::Enquire::DONT_CARE);
        auto start = Clock::now();
        for (int pass = 0; pass < passes; pass++) {
            for (size_t i = 0; i < chosen.size(); i++) {
                auto began = Clock::now();
                Xapian::Document words;
                terms_.set_document(words);
                terms_.index_text_without_positions(chosen[i]->text);
                std::vector<std::string> terms(words.termlist_begin(), words.termlist_end());
                enquire.set_query(Xapian::Query(joint, terms.begin(), terms.end()));
                auto found = enquire.get_mset(0, k);
                ids[i].clear();
                for (auto hit = found.begin(); hit != found.end(); ++hit)
                    ids[i].push_back(*hit - 1);
                times[i] = std::min(times[i], seconds_since(began) * 1e6);
            }
        }
        std::printf("{\"queries\":%zu,\"seconds\":%.6f", chosen.size() * passes, seconds_since(start));
        if (request.flag("times")) {
            std::printf(",\"times_us\":[");
            for (size_t i = 0; i < times.size(); i++)
                std::printf(i ? ",%.2f" : "%.2f", times[i]);
            std::printf("]");
        }
        if (request.flag("ids"))
            print_ids(ids);
        std::printf("}\n");
    }
};

}  // namespace

int main() {
    // Written out every so many documents; its default of 10,000 makes a large build slower.
    setenv("XAPIAN_FLUSH_THRESHOLD", "200000", 0);
    Texts texts;
    const char* settings = "glass on disk, compacted, no positions, English stems, 33 stop words, "
                           "BM25Weight(k1 1.2, k3 1, b 0.75, min_normlen 0.5), ties in any order";
    return serve("xapian", Xapian::version_string(), settings, [&](const std::string& op, const Request& request) {
        try {
            if (op == "load")
                texts.load(request);
            else if (op == "build")
                texts.build();
            else if (op == "search")
                texts.search(request);
            else
                return false;
            return true;
        } catch (const Xapian::Error& e) {
            std::fprintf(stderr, "%s\n", e.get_description().c_str());
            throw std::runtime_error(e.get_type());
        }
    });
}
