import java.io.*;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.util.*;
import java.util.stream.Stream;
import org.apache.lucene.analysis.*;
import org.apache.lucene.analysis.core.StopFilter;
import org.apache.lucene.analysis.en.EnglishAnalyzer;
import org.apache.lucene.analysis.snowball.SnowballFilter;
import org.apache.lucene.analysis.standard.StandardTokenizer;
import org.apache.lucene.analysis.tokenattributes.CharTermAttribute;
import org.apache.lucene.document.*;
import org.apache.lucene.index.*;
import org.apache.lucene.search.*;
import org.apache.lucene.search.similarities.BM25Similarity;
import org.apache.lucene.store.MMapDirectory;
import org.apache.lucene.util.Version;

/** Lucene behind the protocol of tests/peers/README.md. Run from source: `java -cp '/usr/share/java/*' LuceneDriver.java`. */
public final class LuceneDriver {
    private static final Analyzer ANALYZER = new Analyzer() {
        @Override protected TokenStreamComponents createComponents(String field) {
            Tokenizer source = new StandardTokenizer();
            TokenStream words = new StopFilter(new LowerCaseFilter(source), EnglishAnalyzer.ENGLISH_STOP_WORDS_SET);
            return new TokenStreamComponents(source, new SnowballFilter(words, "English"));
        }
    };
    private static final List<String> texts = new ArrayList<>();
    private static final List<String[]> queries = new ArrayList<>();
    private static IndexSearcher searcher;

    public static void main(String[] args) throws Exception {
        PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), true, "UTF-8");
        out.println("{\"peer\":\"lucene\",\"version\":\"" + Version.LATEST + "\",\"settings\":\"BM25Similarity(1.2, 0.75), one segment (forceMerge),"
            + " MMapDirectory, documents and frequencies without positions, no query cache; Java " + System.getProperty("java.version") + "\"}");
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line; (line = in.readLine()) != null;) {
            Map<String, String> request = members(line);
            switch (request.get("op")) {
                case "load": out.println(load(request)); break;
                case "build": out.println(build()); break;
                case "search": out.println(search(request)); break;
                case "quit": System.exit(0); break;
                default: out.println("{\"error\":\"unknown op\"}");
            }
        }
    }

    private static String load(Map<String, String> request) throws IOException {
        int limit = Integer.parseInt(request.getOrDefault("rows", String.valueOf(Integer.MAX_VALUE)));
        texts.clear();
        queries.clear();
        try (BufferedReader lines = Files.newBufferedReader(Paths.get(request.get("corpus")))) {
            for (String line; texts.size() < limit && (line = lines.readLine()) != null;) {
                Map<String, String> row = members(line);
                texts.add((row.getOrDefault("title", "") + " " + row.get("text")).trim());
            }
        }
        for (String line : Files.readAllLines(Paths.get(request.get("queries")))) {
            Map<String, String> row = members(line);
            queries.add(new String[] { row.getOrDefault("kind", ""), row.get("text") });
        }
        return "{\"rows\":" + texts.size() + ",\"queries\":" + queries.size() + "}";
    }

    private static String build() throws IOException {
        long began = System.nanoTime();
        Path folder = Files.createTempDirectory("lucene-peer");
        Runtime.getRuntime().addShutdownHook(new Thread(() -> delete(folder)));
        MMapDirectory directory = new MMapDirectory(folder);
        FieldType type = new FieldType();
        type.setIndexOptions(IndexOptions.DOCS_AND_FREQS);
        type.setTokenized(true);
        type.freeze();
        IndexWriterConfig config = new IndexWriterConfig(ANALYZER).setSimilarity(new BM25Similarity(1.2f, 0.75f)).setRAMBufferSizeMB(512);
        try (IndexWriter writer = new IndexWriter(directory, config)) {
            for (String text : texts) {
                Document document = new Document();
                document.add(new Field("text", text, type));
                writer.addDocument(document);
            }
            writer.forceMerge(1);
        }
        double seconds = (System.nanoTime() - began) / 1e9;
        texts.clear();
        searcher = new IndexSearcher(DirectoryReader.open(directory));
        searcher.setSimilarity(new BM25Similarity(1.2f, 0.75f));
        searcher.setQueryCache(null);
        long bytes = 0;
        for (String file : directory.listAll())
            bytes += directory.fileLength(file);
        return "{\"seconds\":" + seconds + ",\"bytes\":" + bytes + "}";
    }

    /** Analysis, query and collector are made anew for each query; times are the least of the passes. */
    private static String search(Map<String, String> request) throws IOException {
        int k = Integer.parseInt(request.get("k"));
        int threshold = Integer.parseInt(request.getOrDefault("threshold", "1000"));
        int passes = Integer.parseInt(request.getOrDefault("passes", "1"));
        int most = Integer.parseInt(request.getOrDefault("queries", String.valueOf(Integer.MAX_VALUE)));
        String kind = request.get("kind");
        String shape = request.getOrDefault("shape", "should");
        List<String> chosen = new ArrayList<>();
        for (String[] query : queries)
            if ((kind == null || kind.equals(query[0])) && chosen.size() < most)
                chosen.add(query[1]);
        long[] times = new long[chosen.size()];
        TopDocs[] found = new TopDocs[chosen.size()];
        Arrays.fill(times, Long.MAX_VALUE);
        long start = System.nanoTime();
        for (int pass = 0; pass < passes; pass++) {
            for (int i = 0; i < times.length; i++) {
                long began = System.nanoTime();
                Query query = query(chosen.get(i), shape.equals("must") ? BooleanClause.Occur.MUST : BooleanClause.Occur.SHOULD);
                TopScoreDocCollector collector = TopScoreDocCollector.create(k, Math.max(threshold, 1));
                searcher.search(query, collector);
                found[i] = collector.topDocs();
                times[i] = Math.min(times[i], System.nanoTime() - began);
            }
        }
        double seconds = (System.nanoTime() - start) / 1e9;
        StringBuilder answer = new StringBuilder("{\"queries\":" + times.length * passes + ",\"seconds\":" + seconds);
        if ("true".equals(request.get("times"))) {
            answer.append(",\"times_us\":[");
            for (int i = 0; i < times.length; i++)
                answer.append(i == 0 ? "" : ",").append(times[i] / 1000.0);
            answer.append("]");
        }
        if ("true".equals(request.get("ids"))) {
            answer.append(",\"ids\":[");
            for (int i = 0; i < found.length; i++) {
                answer.append(i == 0 ? "[" : ",[");
                for (int j = 0; j < found[i].scoreDocs.length; j++)
                    answer.append(j == 0 ? "" : ",").append(found[i].scoreDocs[j].doc);
                answer.append("]");
            }
            answer.append("]");
        }
        return answer.append("}").toString();
    }

    private static Query query(String text, BooleanClause.Occur occur) throws IOException {
        BooleanQuery.Builder builder = new BooleanQuery.Builder();
        Query only = null;
        int clauses = 0;
        Set<String> seen = new HashSet<>();
        try (TokenStream tokens = ANALYZER.tokenStream("text", text)) {
            CharTermAttribute term = tokens.addAttribute(CharTermAttribute.class);
            tokens.reset();
            while (tokens.incrementToken()) {
                if (!seen.add(term.toString()))
                    continue;
                only = new TermQuery(new Term("text", term.toString()));
                builder.add(only, occur);
                clauses++;
            }
            tokens.end();
        }
        return clauses == 1 ? only : builder.build();
    }

    /** The members of a flat JSON object as text. */
    private static Map<String, String> members(String line) {
        Map<String, String> members = new HashMap<>();
        int[] at = { line.indexOf('{') + 1 };
        while (true) {
            while (at[0] < line.length() && line.charAt(at[0]) != '"' && line.charAt(at[0]) != '}')
                at[0]++;
            if (at[0] >= line.length() || line.charAt(at[0]) == '}')
                return members;
            String name = string(line, at);
            while (line.charAt(at[0]) == ':' || line.charAt(at[0]) == ' ')
                at[0]++;
            if (line.charAt(at[0]) == '"') {
                members.put(name, string(line, at));
            } else {
                int start = at[0];
                while (line.charAt(at[0]) != ',' && line.charAt(at[0]) != '}')
                    at[0]++;
                members.put(name, line.substring(start, at[0]).trim());
            }
        }
    }

    private static String string(String line, int[] at) {
        StringBuilder text = new StringBuilder();
        for (at[0]++; line.charAt(at[0]) != '"'; at[0]++) {
            char c = line.charAt(at[0]);
            if (c == '\\') {
                c = line.charAt(++at[0]);
                int plain = "bfnrt".indexOf(c);
                if (plain >= 0) {
                    c = "\b\f\n\r\t".charAt(plain);
                } else if (c == 'u') {
                    c = (char) Integer.parseInt(line.substring(at[0] + 1, at[0] + 5), 16);
                    at[0] += 4;
                }
            }
            text.append(c);
        }
        at[0]++;
        return text.toString();
    }

    private static void delete(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            files.forEach(file -> file.toFile().delete());
        } catch (IOException e) {
            System.err.println(e);
        }
        folder.toFile().delete();
    }
}
