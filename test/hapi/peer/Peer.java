import ca.uhn.fhir.batch2.jobs.config.Batch2JobsConfig;
import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.IValidationSupport;
import ca.uhn.fhir.jpa.api.config.JpaStorageSettings;
import ca.uhn.fhir.jpa.api.config.ThreadPoolFactoryConfig;
import ca.uhn.fhir.jpa.api.dao.IFhirSystemDao;
import ca.uhn.fhir.jpa.batch2.JpaBatch2Config;
import ca.uhn.fhir.jpa.config.HapiJpaConfig;
import ca.uhn.fhir.jpa.config.r4.JpaR4Config;
import ca.uhn.fhir.jpa.config.util.HapiEntityManagerFactoryUtil;
import ca.uhn.fhir.jpa.model.config.PartitionSettings;
import ca.uhn.fhir.jpa.model.config.SubscriptionSettings;
import ca.uhn.fhir.jpa.model.dialect.HapiFhirH2Dialect;
import ca.uhn.fhir.jpa.model.entity.StorageSettings;
import ca.uhn.fhir.jpa.provider.JpaCapabilityStatementProvider;
import ca.uhn.fhir.jpa.provider.JpaSystemProvider;
import ca.uhn.fhir.jpa.provider.SubscriptionTriggeringProvider;
import ca.uhn.fhir.jpa.search.DatabaseBackedPagingProvider;
import ca.uhn.fhir.jpa.subscription.channel.config.SubscriptionChannelConfig;
import ca.uhn.fhir.jpa.subscription.match.config.SubscriptionProcessorConfig;
import ca.uhn.fhir.jpa.subscription.match.deliver.email.IEmailSender;
import ca.uhn.fhir.jpa.subscription.submit.config.SubscriptionSubmitterConfig;
import ca.uhn.fhir.rest.server.ApacheProxyAddressStrategy;
import ca.uhn.fhir.rest.server.RestfulServer;
import ca.uhn.fhir.rest.server.provider.ResourceProviderFactory;
import ca.uhn.fhir.rest.server.util.ISearchParamRegistry;
import jakarta.persistence.EntityManagerFactory;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import javax.sql.DataSource;
import org.apache.commons.dbcp2.BasicDataSource;
import org.apache.http.impl.client.HttpClients;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.hl7.fhir.dstu2.model.Subscription.SubscriptionChannelType;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.context.annotation.Primary;
import org.springframework.orm.jpa.JpaTransactionManager;
import org.springframework.orm.jpa.LocalContainerEntityManagerFactoryBean;
import org.springframework.transaction.PlatformTransactionManager;

/**
 * HAPI's JPA server for FHIR R4 on a free loopback port, with an H2 database in memory. It prints
 * "ready PORT" when it serves /fhir and ends when its standard input does.
 *
 * <p>-Dpeer.lenient=true takes what the official examples need: references to nowhere, ids of
 * digits alone, bundles of any type. -Dpeer.database=FILE keeps the database in a file, and what
 * was committed there also when the process is killed. -Dpeer.subscriptions=true serves
 * Subscriptions of type rest-hook, scheduled as HAPI does by itself; notifications are sent with
 * the JVM's key store and trust store (javax.net.ssl.*).
 */
public final class Peer {
  private static final boolean SUBSCRIPTIONS = Boolean.getBoolean("peer.subscriptions");

  private Peer() {}

  public static void main(String[] args) throws Exception {
    AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext();
    context.register(Settings.class);
    if (SUBSCRIPTIONS) {
      context.register(Subscriptions.class);
    }
    context.refresh();
    // The client that HAPI makes by itself trusts as the JVM does, and has no certificate of its own.
    context.getBean(FhirContext.class).getRestfulClientFactory().setHttpClient(HttpClients.createSystem());
    Server server = new Server();
    ServerConnector connector = new ServerConnector(server);
    connector.setHost("127.0.0.1");
    connector.setPort(Integer.getInteger("peer.port", 0));
    server.addConnector(connector);
    ServletContextHandler handler = new ServletContextHandler();
    ServletHolder holder = new ServletHolder(rest(context));
    holder.setInitOrder(1); // before "ready"
    handler.addServlet(holder, "/fhir/*");
    server.setHandler(handler);
    server.start();
    System.out.println("ready " + connector.getLocalPort());
    System.out.flush();
    while (System.in.read() >= 0) {
      // Whoever started this holds the other end and lets go when it ends.
    }
    System.exit(0);
  }

  @SuppressWarnings("unchecked")
  private static RestfulServer rest(AnnotationConfigApplicationContext context) {
    RestfulServer rest = new RestfulServer(context.getBean(FhirContext.class));
    rest.registerProviders(context.getBean("myResourceProvidersR4", ResourceProviderFactory.class).createProviders());
    rest.registerProvider(context.getBean(JpaSystemProvider.class));
    if (SUBSCRIPTIONS) {
      rest.registerProvider(context.getBean(SubscriptionTriggeringProvider.class));
    }
    rest.setServerAddressStrategy(new ApacheProxyAddressStrategy(false)); // X-Forwarded-Host and -Proto
    rest.setPagingProvider(context.getBean(DatabaseBackedPagingProvider.class));
    rest.setServerConformanceProvider(
        new JpaCapabilityStatementProvider(
            rest,
            context.getBean(IFhirSystemDao.class),
            context.getBean(JpaStorageSettings.class),
            context.getBean(ISearchParamRegistry.class),
            context.getBean(IValidationSupport.class)));
    return rest;
  }

  /** The settings: HAPI's own, but for what says why. */
  @Configuration
  @Import({JpaR4Config.class, HapiJpaConfig.class, JpaBatch2Config.class, Batch2JobsConfig.class, SubscriptionChannelConfig.class,
    ThreadPoolFactoryConfig.class})
  public static class Settings {
    private final boolean lenient = Boolean.getBoolean("peer.lenient");

    @Bean
    public JpaStorageSettings storageSettings() {
      JpaStorageSettings s = new JpaStorageSettings();
      s.setReuseCachedSearchResultsForMillis(null); // a search sees what was written before it
      s.setAllowExternalReferences(true); // attachments and issuers are addresses elsewhere
      s.setIndexMissingFields(StorageSettings.IndexEnabledEnum.ENABLED); // the modifier :missing
      s.setAllowContainsSearches(true); // the modifier :contains
      s.setSchedulingDisabled(!SUBSCRIPTIONS); // nothing happens behind a test's back
      if (lenient) {
        s.setEnforceReferentialIntegrityOnWrite(false);
        s.setEnforceReferentialIntegrityOnDelete(false);
        s.setResourceClientIdStrategy(JpaStorageSettings.ClientIdStrategyEnum.ANY);
        s.setResourceServerIdStrategy(JpaStorageSettings.IdStrategyEnum.UUID);
        s.setBundleTypesAllowedForStorage(
            Set.of("", "document", "message", "transaction", "transaction-response", "batch", "batch-response", "history", "searchset", "collection"));
      }
      return s;
    }

    @Bean
    public PartitionSettings partitionSettings() {
      return new PartitionSettings();
    }

    @Bean
    public DataSource dataSource() {
      BasicDataSource d = new BasicDataSource();
      d.setDriverClassName("org.h2.Driver");
      String file = System.getProperty("peer.database");
      d.setUrl(file == null ? "jdbc:h2:mem:peer;DB_CLOSE_DELAY=-1" : "jdbc:h2:file:" + file + ";WRITE_DELAY=0");
      d.setMaxTotal(32);
      return d;
    }

    @Bean
    public LocalContainerEntityManagerFactoryBean entityManagerFactory(
        ConfigurableListableBeanFactory factory, FhirContext fhir, DataSource source, JpaStorageSettings settings) {
      LocalContainerEntityManagerFactoryBean b = HapiEntityManagerFactoryUtil.newEntityManagerFactory(factory, fhir, settings);
      b.setPersistenceUnitName("peer");
      b.setDataSource(source);
      Map<String, Object> properties = new HashMap<>();
      properties.put("hibernate.dialect", HapiFhirH2Dialect.class.getName());
      properties.put("hibernate.hbm2ddl.auto", System.getProperty("peer.database") == null ? "create" : "update");
      properties.put("hibernate.search.enabled", "false"); // no full text
      b.getJpaPropertyMap().putAll(properties);
      return b;
    }

    @Bean
    @Primary
    public PlatformTransactionManager transactionManager(EntityManagerFactory factory) {
      return new JpaTransactionManager(factory);
    }
  }

  /** What Subscriptions of type rest-hook need, matched in this process. */
  @Configuration
  @Import({SubscriptionSubmitterConfig.class, SubscriptionProcessorConfig.class})
  public static class Subscriptions {
    /** Wanted while the context starts: the scheduler looks for jobs in beans that exist by then. */
    @Autowired SubscriptionTriggeringProvider triggering;

    @Bean
    public SubscriptionSettings subscriptionSettings() {
      SubscriptionSettings s = new SubscriptionSettings();
      s.addSupportedSubscriptionType(SubscriptionChannelType.RESTHOOK);
      return s;
    }

    @Bean
    public IEmailSender emailSender() {
      return details -> {
        throw new UnsupportedOperationException("rest-hook alone");
      };
    }
  }
}
